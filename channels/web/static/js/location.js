/** Where the citizen is, or a plain reason why that cannot be told. */
import { t } from "./i18n.js";

/** Reasons by the code of the Geolocation API. */
const REASONS = { 1: "place.denied", 2: "place.unknown", 3: "place.slow" };
/** Above this the place is too vague to send someone to. */
const VAGUE_METRES = 500;

/** No place could be had; the message is ready to show. */
export class LocationError extends Error {}

/**
 * Ask the device for its position.
 * @returns {Promise<{latitude: number, longitude: number, label: string, warning: string|null}>}
 *   WGS 84 degrees rounded to about a metre; `warning` when the accuracy is poor
 * @throws {LocationError}
 */
export function currentPlace() {
  return new Promise((resolve, reject) => {
    if (!navigator.geolocation || !window.isSecureContext) {
      reject(refusal("place.unsupported"));
      return;
    }
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        const accuracy = Math.round(coords.accuracy);
        const vague = accuracy > VAGUE_METRES;
        resolve({
          latitude: Number(coords.latitude.toFixed(5)),
          longitude: Number(coords.longitude.toFixed(5)),
          label: t("place.here", { distance: distance(accuracy) }),
          warning: vague ? t("place.vague", { distance: distance(accuracy) }) : null,
        });
      },
      (error) => reject(refusal(REASONS[error.code] ?? REASONS[2])),
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 30_000 },
    );
  });
}

/**
 * Metres as people say them.
 * @param {number} metres
 * @returns {string}
 */
export function distance(metres) {
  if (metres < 1000) return t("unit.metres", { count: Math.round(metres) });
  return t("unit.kilometres", { count: (metres / 1000).toFixed(1) });
}

/**
 * @param {string} key
 * @returns {LocationError}
 */
function refusal(key) {
  return new LocationError(t(key, { manual: t("place.manual") }));
}
