/** Where the conversation is scrolled to. */

/** Within this many pixels of the end the reader is taken to be following. */
const NEAR_PX = 120;
/** Space left above a new reply when the question before it is too long to stay in view. */
const LEAD_PX = 88;
/** A question up to this height stays in view as a whole, with a little air above it. */
const MAX_LEAD_PX = 200;
const AIR_PX = 12;

export class Scroller {
  /**
   * @param {HTMLElement} area the scrolling element
   * @param {HTMLElement} latest the button that leads to the newest message
   */
  constructor(area, latest) {
    this.area = area;
    this.latest = latest;
    let following = true;
    area.addEventListener("scroll", () => {
      following = this.atEnd;
      if (following) latest.hidden = true;
    }, { passive: true });
    latest.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => {
      if (following && area.scrollTop > 0) area.scrollTop = area.scrollHeight;
    }).observe(area);
  }

  /** @returns {boolean} */
  get atEnd() {
    return this.area.scrollHeight - this.area.scrollTop - this.area.clientHeight < NEAR_PX;
  }

  /**
   * Go to the newest message.
   * @param {{smooth?: boolean}} [options]
   */
  toEnd({ smooth = true } = {}) {
    this.#to(this.area.scrollHeight, smooth);
  }

  /**
   * Bring a new reply into view from its first line on; a long one is not skipped to its end.
   * @param {HTMLElement} node
   */
  reveal(node) {
    const end = this.area.scrollHeight - this.area.clientHeight;
    const top = node.getBoundingClientRect().top;
    const question = node.previousElementSibling?.getBoundingClientRect();
    const lead = question ? top - question.top + AIR_PX : LEAD_PX;
    const start = top - this.area.getBoundingClientRect().top;
    const space = lead > MAX_LEAD_PX ? LEAD_PX : lead;
    this.#to(Math.min(end, this.area.scrollTop + start - space), true);
  }

  /** Offer the way to a message that arrived while the reader was further up. */
  offer() {
    this.latest.hidden = false;
  }

  #to(top, smooth) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.area.scrollTo({ top, behavior: smooth && !calm ? "smooth" : "auto" });
  }
}
