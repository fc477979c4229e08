/** The city's own map with marks on it; each mark opens a list of links. */
import { drawCity, loadCity } from "/static/js/citymap.js";
import { h } from "/static/js/dom.js";
import { speak } from "/static/js/i18n.js";

/**
 * @typedef {{point: [number, number], rough: boolean, tone: string, late: boolean, count?: number,
 *   items: {title: string, about: string, late: boolean, href: string}[]}} Mark
 *   as /console/complaints/points and /console/hotspots/points tell
 */

const SIZE = 28;
/** Pixels between marks: more than one takes, so that each is a target of its own (WCAG 2.2, 2.5.8). */
const APART = 34;
/** What waits longest comes first when marks are put together. */
const TONES = ["new", "busy", "check", "done"];
const CLOSEST = 15;
const MOST_LINKS = 12;

/** @param {Mark} mark */
function links({ items }) {
  const shown = items.slice(0, MOST_LINKS).map((item) => h("li", {},
    h("a", { href: item.href, text: item.title }),
    item.late ? h("span", { class: "badge hot", text: "超期" }) : null,
    h("small", { text: item.about })));
  const rest = items.length - shown.length;
  return h("div", { class: "map-links" }, h("ul", {}, ...shown),
    rest > 0 ? h("p", { class: "soft", text: `另有${rest}项，放大地图可以分开，或到列表里看。` }) : null);
}

/**
 * Put marks together that would lie on one another; what is left can be touched one by one.
 * @param {any} map
 * @param {Mark[]} marks
 * @returns {Mark[]}
 */
function gathered(map, marks) {
  /** @type {{at: any, marks: Mark[]}[]} */
  const groups = [];
  for (const mark of marks) {
    const at = map.project(mark.point);
    const near = groups.find((group) => group.at.distanceTo(at) < APART);
    if (near) near.marks.push(mark);
    else groups.push({ at, marks: [mark] });
  }
  return groups.map(({ marks: [first, ...others] }) => others.length === 0 ? first : {
    ...first,
    rough: [first, ...others].every(({ rough }) => rough),
    late: [first, ...others].some(({ late }) => late),
    tone: TONES.find((tone) => [first, ...others].some((mark) => mark.tone === tone)),
    count: [first, ...others].reduce((sum, mark) => sum + size(mark), 0),
    items: [first, ...others].flatMap(({ items }) => items),
  });
}

/** @param {Mark} mark */
const size = ({ count, items }) => count ?? items.length;

/** @param {any} leaflet @param {Mark} mark */
function marker(leaflet, mark) {
  const [first] = mark.items;
  const words = `${first.title}，${first.about}${mark.items.length > 1 ? `，共${mark.items.length}项` : ""}`;
  const kinds = [mark.tone, mark.late && "late", mark.rough && "rough"].filter(Boolean).join(" ");
  const icon = leaflet.divIcon({
    className: "map-spot", iconSize: [SIZE, SIZE],
    html: h("span", { class: `dot ${kinds}`, text: size(mark) > 1 ? String(size(mark)) : "" }),
  });
  return leaflet.marker(mark.point, { icon, title: words, alt: words, riseOnHover: true })
    .bindPopup(() => links(mark), { maxWidth: 280 });
}

/** @param {HTMLElement} node */
async function show(node) {
  const state = document.getElementById("map-state");
  try {
    const [{ leaflet, city }, response] = await Promise.all([
      loadCity(), fetch(node.dataset.points, { headers: { "X-Background": "1" } }), speak("zh-Hans"),
    ]);
    if (response.status === 401) location.assign("/console/login");
    if (!response.ok) throw new Error(`no marks: ${response.status}`);
    /** @type {Mark[]} */
    const marks = await response.json();
    const map = drawCity(leaflet, node, city);
    if (marks.length) map.fitBounds(marks.map(({ point }) => point), { maxZoom: CLOSEST, padding: [40, 40] });
    map.fire("moveend"); // names of the first view
    const layer = leaflet.layerGroup().addTo(map);
    const draw = () => {
      layer.clearLayers();
      for (const mark of gathered(map, marks)) marker(leaflet, mark).addTo(layer);
    };
    map.on("zoomend", draw);
    draw();
    const items = marks.reduce((sum, mark) => sum + mark.items.length, 0);
    state.textContent = `地图上有${marks.length}处，${items}项；离得近的合在一起，放大可以分开。用 Tab 键逐个选择，回车打开。`;
  } catch (error) {
    console.info("map", error);
    state.textContent = "地图没有加载出来，请刷新再试；列表里有同样的内容。";
  }
}

show(document.getElementById("map"));
