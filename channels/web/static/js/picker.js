/** The place picker: a map under a fixed pin. Whatever lies under the pin is the chosen place. */
import { AttachmentError, placeAttachment } from "./attachments.js";
import { describe, drawCity, findPlaces, loadCity } from "./citymap.js";
import { byId, h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { currentPlace } from "./location.js";

const CLOSE_ZOOM = 16;
/** Five digits are about a metre. */
const DIGITS = 5;

export class PlacePicker {
  /** @type {any} */
  #map = null;
  /** @type {import("./citymap.js").City|null} */
  #city = null;

  /**
   * @param {{onPlace: (place: import("./attachments.js").PendingPlace) => void,
   *   attempt: (step: () => unknown) => Promise<void>}} hooks
   *   `attempt` shows the known refusals of a step
   */
  constructor({ onPlace, attempt }) {
    this.onPlace = onPlace;
    byId("picker-take").addEventListener("click", () => this.#take());
    byId("picker-here").addEventListener("click", () => attempt(() => this.#here()));
    byId("picker-search").addEventListener("input", () => this.#search());
    byId("picker-search").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      byId("picker-found").querySelector("button")?.click();
    });
    byId("picker-map").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === byId("picker-map")) this.#take();
    });
  }

  /**
   * Show the map, at the place chosen last.
   * @throws {AttachmentError} when the map cannot be had
   */
  async open() {
    try {
      const { leaflet, city } = await loadCity();
      byId("picker").showModal();
      this.#city = city;
      this.#begin(leaflet, city);
    } catch (error) {
      console.info("map", error);
      throw new AttachmentError(t("map.failed"));
    }
    byId("picker-map").setAttribute("aria-label", t("map.label", { city: this.#city.name }));
    this.#tell();
  }

  /** Draw anew: colours and language may have changed since the last time. */
  #begin(leaflet, city) {
    const before = this.#map && { center: this.#map.getCenter(), zoom: this.#map.getZoom() };
    this.#map?.remove();
    this.#map = drawCity(leaflet, byId("picker-map"), city);
    if (before) this.#map.setView(before.center, before.zoom);
    this.#map.on("move", () => this.#tell());
    this.#map.on("click", (event) => this.#map.panTo(event.latlng));
    this.#map.fire("moveend"); // names of the first view
  }

  /** @returns {import("./geo.js").Point} what lies under the pin */
  get #point() {
    const { lat, lng } = this.#map.getCenter();
    return [Number(lat.toFixed(DIGITS)), Number(lng.toFixed(DIGITS))];
  }

  #tell() {
    const words = describe(this.#city, this.#point);
    byId("picker-where").textContent = words ?? t("map.outside", { city: this.#city.name });
    byId("picker-take").disabled = words === null;
  }

  #take() {
    const words = describe(this.#city, this.#point);
    if (words === null) return;
    const [latitude, longitude] = this.#point;
    byId("picker").close();
    this.onPlace(placeAttachment({ latitude, longitude, label: t("map.chosen", { place: words }) }));
  }

  async #here() {
    const { latitude, longitude } = await currentPlace();
    this.#map.setView([latitude, longitude], CLOSE_ZOOM);
    byId("picker-map").focus();
  }

  #search() {
    const words = byId("picker-search").value;
    const found = findPlaces(this.#city, words, this.#point);
    byId("picker-found").replaceChildren(...found.map((place) => h("li", {},
      h("button", { type: "button", class: "found", on: { click: () => this.#go(place) } },
        icon("pin"), h("b", { text: place.name }), h("span", { text: place.area ?? "" })))));
    byId("picker-count").textContent = !words.trim() ? ""
      : found.length > 0 ? t("map.found", { count: found.length }) : t("map.none");
  }

  #go(place) {
    byId("picker-search").value = "";
    this.#search();
    this.#map.setView(place.point, CLOSE_ZOOM);
    byId("picker-map").focus();
  }
}
