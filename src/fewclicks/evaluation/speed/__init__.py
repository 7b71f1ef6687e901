"""Speed: how long each stage and each click take, beside what one would write or use instead."""
