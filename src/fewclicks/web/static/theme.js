// A classic script on purpose: it runs before the first paint. The switch itself is in session.js.
try {
  const theme = localStorage.getItem("fewclicks/theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // Storage is switched off: the system's theme it is.
}
