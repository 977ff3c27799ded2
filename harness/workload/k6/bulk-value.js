/** A text of so many bytes that follows from the key: numbers, which compress about as JSON documents do. */
export function bulkValue(key, bytes) {
  let seed = 2166136261;
  for (let index = 0; index < key.length; index++) seed = Math.imul(seed ^ key.charCodeAt(index), 16777619) >>> 0;
  let text = `{"key":"${key}","values":[`;
  while (text.length < bytes) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    text += `${seed},`;
  }
  return text.slice(0, bytes);
}
