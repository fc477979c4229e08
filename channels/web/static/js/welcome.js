/** The parts of the page that come from the city's data: names, jobs, telephone numbers. */
import { CITY } from "./city.js";
import { byId, h, icon } from "./dom.js";
import { pick, t } from "./i18n.js";

/**
 * The title of the page.
 * @returns {string}
 */
export function pageTitle() {
  return `${pick(CITY.product)} · ${pick(CITY.title)}`;
}

/**
 * Fill in names, job cards, sample questions and telephone numbers.
 * @param {(text: string) => void} say called with the sentence the citizen chose
 */
export function renderCity(say) {
  document.title = pageTitle();
  for (const node of document.querySelectorAll("[data-city]")) {
    node.textContent = pick(CITY[/** @type {HTMLElement} */ (node).dataset.city]);
  }
  byId("jobs").replaceChildren(...CITY.jobs.map((job) => jobCard(job, say)));
  byId("side-jobs").replaceChildren(...CITY.jobs.map((job) => sideJob(job, say)));
  byId("side-phones").replaceChildren(...CITY.hotlines.map(phoneRow));
  byId("help-phones").replaceChildren(...CITY.hotlines.map(phoneRow));
}

/**
 * @param {import("./city.js").Job} job
 * @param {(text: string) => void} say
 * @returns {HTMLElement}
 */
function jobCard(job, say) {
  const samples = job.samples.map((sample) =>
    h("li", {}, h("button", {
      type: "button", class: "sample", text: pick(sample.shown), "data-testid": "sample",
      on: { click: () => say(sample.say) },
    })));
  const label = t("welcome.samples", { job: pick(job.title) });
  return h("section", { class: `job job-${job.key}` },
    h("button", {
      type: "button", class: "job-open", "data-testid": `welcome-${job.key}`,
      on: { click: () => say(job.opening) },
    },
    h("span", { class: "job-icon" }, icon(job.icon)),
    h("span", { class: "job-words" },
      h("span", { class: "job-title", text: pick(job.title) }),
      h("span", { class: "job-about", text: pick(job.about) }))),
    h("ul", { class: "samples", "aria-label": label }, ...samples));
}

/**
 * @param {import("./city.js").Job} job
 * @param {(text: string) => void} say
 * @returns {HTMLElement}
 */
function sideJob(job, say) {
  return h("button", { type: "button", class: "side-job", on: { click: () => say(job.opening) } },
    icon(job.icon), h("span", { text: pick(job.title) }));
}

/**
 * @param {import("./city.js").Hotline} hotline
 * @returns {HTMLElement}
 */
function phoneRow(hotline) {
  return h("li", {}, h("a", { href: `tel:${hotline.number}` },
    h("b", { text: hotline.number }), h("span", { text: pick(hotline.label) }), icon("phone")));
}
