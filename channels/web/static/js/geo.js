/** Plain geometry of a city on the map; points are [latitude, longitude] in degrees (WGS 84). */

const METRES_PER_DEGREE = 111_195;

/** @typedef {[number, number]} Point */

/**
 * Distance in metres, good to well under one per cent within a city.
 * @param {Point} one
 * @param {Point} other
 * @returns {number}
 */
export function metresBetween(one, other) {
  const north = (one[0] - other[0]) * METRES_PER_DEGREE;
  const squeeze = Math.cos((((one[0] + other[0]) / 2) * Math.PI) / 180);
  return Math.hypot(north, (one[1] - other[1]) * METRES_PER_DEGREE * squeeze);
}

/**
 * Whether a point lies inside a ring (even-odd rule).
 * @param {Point} point
 * @param {Point[]} ring
 * @returns {boolean}
 */
export function inside([lat, lon], ring) {
  let odd = false;
  ring.forEach(([lat1, lon1], index) => {
    const [lat2, lon2] = ring[(index + 1) % ring.length];
    if (lat1 > lat === lat2 > lat) return;
    if (lon < lon1 + ((lat - lat1) / (lat2 - lat1)) * (lon2 - lon1)) odd = !odd;
  });
  return odd;
}

/**
 * The nearest of several things that have a point.
 * @template {{point: Point}} T
 * @param {Point} point
 * @param {T[]} things at least one
 * @returns {{thing: T, metres: number}}
 */
export function nearest(point, things) {
  return things
    .map((thing) => ({ thing, metres: metresBetween(point, thing.point) }))
    .reduce((best, other) => (other.metres < best.metres ? other : best));
}
