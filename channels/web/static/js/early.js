// Runs before the first paint, so that a citizen who chose large type never sees small type flash.
try {
  if (localStorage.getItem("shimin.large") === "yes") {
    document.documentElement.dataset.size = "large";
  }
} catch {
  // storage forbidden: the page starts in normal type
}
