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
    rest > 0 ? h("p", { class: "soft", text: `另有${rest}件，请缩小范围或在列表里看。` }) : null);
}

/** @param {any} leaflet @param {Mark} mark */
function marker(leaflet, mark) {
  const count = mark.count ?? mark.items.length;
  const [first] = mark.items;
  const words = `${first.title}，${first.about}${mark.items.length > 1 ? `，共${count}件` : ""}`;
  const kinds = [mark.tone, mark.late && "late", mark.rough && "rough"].filter(Boolean).join(" ");
  const icon = leaflet.divIcon({
    className: "map-spot", iconSize: [SIZE, SIZE],
    html: h("span", { class: `dot ${kinds}`, text: count > 1 ? String(count) : "" }),
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
    for (const mark of marks) marker(leaflet, mark).addTo(map);
    const items = marks.reduce((sum, mark) => sum + mark.items.length, 0);
    state.textContent = `地图上有${marks.length}处，${items}项。用 Tab 键可以逐个选择，回车打开。`;
  } catch (error) {
    console.info("map", error);
    state.textContent = "地图没有加载出来，请刷新再试；列表里有同样的内容。";
  }
}

show(document.getElementById("map"));
