/** Where the citizen is, or a plain reason why that cannot be told. */

const MANUAL = "也可以直接打地址，例如“文昌街道春风里小区门口”。";
const REASONS = {
  1: `没有得到定位许可。可在浏览器或手机设置里允许定位后再点一次，${MANUAL}`,
  2: `手机暂时定不到位置，可能是信号不好或没开定位。${MANUAL}`,
  3: `定位花的时间太长，请到开阔处再试。${MANUAL}`,
};
const UNSUPPORTED = `这个浏览器不能定位。${MANUAL}`;
/** Above this the place is too vague to send someone to. */
const VAGUE_METRES = 500;

/** No place could be had; the message is Chinese, ready to show. */
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
      reject(new LocationError(UNSUPPORTED));
      return;
    }
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        const accuracy = Math.round(coords.accuracy);
        const vague = accuracy > VAGUE_METRES;
        resolve({
          latitude: Number(coords.latitude.toFixed(5)),
          longitude: Number(coords.longitude.toFixed(5)),
          label: `我的位置（${distance(accuracy)}内）`,
          warning: vague ? `定位误差约${distance(accuracy)}，请再写一下具体地址，方便工作人员找到。` : null,
        });
      },
      (error) => reject(new LocationError(REASONS[error.code] ?? REASONS[2])),
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 30_000 },
    );
  });
}

/**
 * Metres as people say them.
 * @param {number} metres
 * @returns {string}
 */
function distance(metres) {
  return metres < 1000 ? `${metres}米` : `${(metres / 1000).toFixed(1)}公里`;
}
