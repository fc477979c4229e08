// Runs before the first paint, so that a citizen who chose large type never sees small type flash.
{
  const root = document.documentElement;
  const kept = (name) => {
    try {
      return localStorage.getItem(`shimin.${name}`);
    } catch {
      return null; // storage forbidden: the page starts with its defaults
    }
  };
  const size = kept("size");
  if (size === "large" || size === "huge") root.dataset.size = size;
  const contrast = kept("contrast") ?? (matchMedia("(prefers-contrast: more)").matches ? "high" : "");
  if (contrast === "high") root.dataset.contrast = "high";
  if (window.top !== window) root.dataset.framed = "yes";
}
