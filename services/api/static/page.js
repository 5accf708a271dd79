// What every page does: make elements, and ask the API in time.

const ANSWER_MS = 12000;

export function element(tag, className = "", ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

/** The API's answer to GET `path`; whoever is not logged in is led to the login. Throws an Error whose sentence says why
 * there is none; an AbortError when `signal` took the question back. */
export async function ask(path, signal) {
  const late = AbortSignal.timeout(ANSWER_MS);
  try {
    const answer = await fetch(path, { signal: signal ? AbortSignal.any([signal, late]) : late });
    if (answer.status === 401) location.assign("/dashboard/login");
    if (answer.ok) return await answer.json();
    const { detail } = await answer.json().catch(() => ({}));
    throw new Error(detail || `The API answered HTTP ${answer.status}.`);
  } catch (error) {
    if (error.name === "TimeoutError") throw new Error(`The API did not answer within ${ANSWER_MS / 1000} s.`);
    if (error instanceof SyntaxError) throw new Error("The API answered something that is not JSON.");
    if (error instanceof TypeError) throw new Error("The API cannot be reached.");
    throw error;
  }
}
