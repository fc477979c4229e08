/** The city's map drawn by Leaflet from the city's own lines: no tiles, no foreign server. */
import { h } from "./dom.js";
import { inside, metresBetween, nearest } from "./geo.js";
import { t } from "./i18n.js";
import { distance } from "./location.js";

/**
 * @typedef {import("./geo.js").Point} Point
 * @typedef {{name: string, aliases?: string[], area?: string, point: Point}} Place
 * @typedef {{name: string, boundary: Point[], districts: {name: string, polygon: Point[],
 *   label: Point, streets: {name: string, point: Point}[]}[],
 *   rivers: {name: string, line: Point[]}[], roads: {name: string, line: Point[]}[],
 *   places: Place[]}} City as /web/city.json tells
 */

/** Beyond this a named place says nothing about a point. */
const NEAR_METRES = 400;
const AT_METRES = 40;
const MAX_FOUND = 8;
const LEAFLET = "/static/vendor/leaflet/leaflet.js";
const MIN_ZOOM = 10;
const MAX_ZOOM = 18;
/** From these zooms on roads and places bear their names. */
const ROAD_NAMES = 14;
const PLACE_NAMES = 15;

/**
 * Fetch the city and the library; both may come from the browser's store of the shell.
 * @returns {Promise<{leaflet: any, city: City}>}
 * @throws {Error} when one of them cannot be had
 */
export async function loadCity() {
  const [response] = await Promise.all([fetch("/web/city.json"), import(LEAFLET)]);
  if (!response.ok) throw new Error(`no map: ${response.status}`);
  return { leaflet: /** @type {any} */ (window).L, city: await response.json() };
}

/**
 * Draw the city.
 * @param {any} leaflet
 * @param {HTMLElement} node
 * @param {City} city
 * @returns {any} the Leaflet map
 */
export function drawCity(leaflet, node, city) {
  const bounds = leaflet.latLngBounds(city.boundary);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = leaflet.map(node, {
    attributionControl: false, zoomControl: false, minZoom: MIN_ZOOM, maxZoom: MAX_ZOOM,
    preferCanvas: true, zoomSnap: 0.5, // no bounds: they would move the pin on zooming out
    fadeAnimation: false, zoomAnimation: !calm, inertia: !calm,
  });
  if (calm) map.panBy = (offset) => leaflet.Map.prototype.panBy.call(map, offset, { animate: false });
  leaflet.control.zoom({ zoomInTitle: t("map.zoom_in"), zoomOutTitle: t("map.zoom_out") }).addTo(map);
  const colour = (name) => getComputedStyle(node).getPropertyValue(`--map-${name}`).trim();
  const draw = (shape, points, style) =>
    leaflet[shape](points, { interactive: false, ...style }).addTo(map);
  draw("polygon", city.boundary, { stroke: false, fillColor: colour("land"), fillOpacity: 1 });
  for (const { line } of city.rivers) draw("polyline", line, { color: colour("water"), weight: 7 });
  for (const { line } of city.roads) draw("polyline", line, { color: colour("edge"), weight: 6 });
  for (const { line } of city.roads) draw("polyline", line, { color: colour("road"), weight: 4 });
  for (const { polygon } of city.districts) {
    draw("polygon", polygon, { color: colour("border"), weight: 2, dashArray: "6 5", fill: false });
  }
  labels(leaflet, map, city);
  map.fitBounds(bounds);
  return map;
}

/** Put names on the map: districts always, roads and places in view when one is near enough. */
function labels(leaflet, map, city) {
  const group = leaflet.layerGroup().addTo(map);
  const name = (point, text, kind) => leaflet.marker(point, {
    interactive: false, keyboard: false,
    icon: leaflet.divIcon({ className: `map-name map-${kind}`, html: h("span", { text }), iconSize: null }),
  }).addTo(group);
  const render = () => {
    group.clearLayers();
    const seen = map.getBounds();
    const zoom = map.getZoom();
    if (zoom < ROAD_NAMES) city.districts.forEach((area) => name(area.label, area.name, "district"));
    else {
      for (const { line, name: road } of city.roads) {
        const point = line.find((corner) => seen.contains(corner));
        if (point) name(point, road, "road");
      }
    }
    if (zoom < PLACE_NAMES) return;
    for (const place of city.places) {
      if (seen.contains(place.point)) name(place.point, place.name, "place");
    }
  };
  map.on("moveend", render);
}

/**
 * Where a point is, in words.
 * @param {City} city
 * @param {Point} point
 * @returns {string|null} null outside the city
 */
export function describe(city, point) {
  if (!inside(point, city.boundary)) return null;
  const district = city.districts.find(({ polygon }) => inside(point, polygon)) ?? city.districts[0];
  const area = district.name + nearest(point, district.streets).thing.name;
  const { thing, metres } = nearest(point, city.places);
  if (metres > NEAR_METRES) return area;
  if (metres < AT_METRES) return t("map.at", { area, place: thing.name });
  return t("map.near", { area, place: thing.name, distance: distance(metres) });
}

/**
 * Places, streets and roads whose name holds the words, shorter names first.
 * @param {City} city
 * @param {string} words
 * @param {Point} here what is as good otherwise comes by its distance from here
 * @returns {Place[]}
 */
export function findPlaces(city, words, here) {
  const wanted = words.trim().toLowerCase();
  if (!wanted) return [];
  const streets = city.districts.flatMap(({ name, streets }) =>
    streets.map((street) => ({ ...street, area: name })));
  const roads = city.roads.map(({ name, line }) => ({ name, point: line[Math.floor(line.length / 2)] }));
  const named = ({ name, aliases = [] }) =>
    [name, ...aliases].some((one) => one.toLowerCase().includes(wanted));
  return [...city.places, ...streets, ...roads]
    .filter(named)
    .sort((one, other) => one.name.length - other.name.length
      || metresBetween(one.point, here) - metresBetween(other.point, here))
    .slice(0, MAX_FOUND);
}
