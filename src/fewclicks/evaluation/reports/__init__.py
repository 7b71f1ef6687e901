"""Reports: results beside what papers print, compared object by object, as a page, as text."""
