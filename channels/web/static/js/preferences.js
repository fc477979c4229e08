/** Large type, remembered on this device. The stored value is applied by early.js. */

const LARGE = "shimin.large";

/**
 * Make the button switch large type on and off.
 * @param {HTMLButtonElement} button
 */
export function bindLargeType(button) {
  const root = document.documentElement;
  const show = () => button.setAttribute("aria-pressed", String(root.dataset.size === "large"));
  button.addEventListener("click", () => {
    const large = root.dataset.size !== "large";
    if (large) root.dataset.size = "large";
    else delete root.dataset.size;
    try {
      localStorage.setItem(LARGE, large ? "yes" : "no");
    } catch {
      // storage forbidden: the choice lasts until the page is closed
    }
    show();
  });
  show();
}
