/** Browser recordings (WebM, M4A, MP3 …) to 16 kHz mono PCM WAV, the form speech engines read. */

const RATE = 16_000;

/**
 * Decode and convert.
 * @param {Blob} blob
 * @returns {Promise<Blob|null>} null when this browser cannot decode the file
 */
export async function toWav(blob) {
  if (typeof OfflineAudioContext === "undefined") return null;
  try {
    const context = new OfflineAudioContext(1, 1, RATE);
    const audio = await context.decodeAudioData(await blob.arrayBuffer());
    return encode(mixDown(audio));
  } catch {
    return null;
  }
}

/**
 * The mean of all channels.
 * @param {AudioBuffer} audio
 * @returns {Float32Array}
 */
function mixDown(audio) {
  const mono = new Float32Array(audio.length);
  for (let channel = 0; channel < audio.numberOfChannels; channel += 1) {
    const samples = audio.getChannelData(channel);
    for (let i = 0; i < samples.length; i += 1) mono[i] += samples[i] / audio.numberOfChannels;
  }
  return mono;
}

/**
 * RIFF/WAVE with 16-bit samples.
 * @param {Float32Array} samples -1 to 1
 * @returns {Blob}
 */
function encode(samples) {
  const view = new DataView(new ArrayBuffer(44 + samples.length * 2));
  const ascii = (at, text) => [...text].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  ascii(0, "RIFF");
  view.setUint32(4, 36 + samples.length * 2, true);
  ascii(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, RATE * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  ascii(36, "data");
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, i) => {
    const clipped = Math.max(-1, Math.min(1, sample));
    view.setInt16(44 + i * 2, Math.round(clipped * 32_767), true);
  });
  return new Blob([view], { type: "audio/wav" });
}
