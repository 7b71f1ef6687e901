"""``python -m fewclicks``."""

from fewclicks.cli.app import main

if __name__ == "__main__":
    main()
