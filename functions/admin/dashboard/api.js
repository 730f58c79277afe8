// The admin API, as a session may call it. Paths are relative, since a stage of API Gateway puts its
// name before them.

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let proof = null;
let known = { path: null, tag: null };

export async function call(method, path, body, headers = {}) {
  const sent = { accept: "application/json", ...headers };
  if (method !== "GET" && proof) sent["x-tollgate-csrf"] = proof;
  if (body !== undefined) sent["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: sent,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch {
    throw new Refused(0, "The gateway does not answer. The page goes on trying.");
  }
  if (response.status === 304) return { response, answer: null };
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Refused(response.status, answer?.error?.message ?? `The gateway answered ${response.status}.`);
  return { response, answer };
}

export async function signIn(key) {
  const { answer } = await call("POST", "admin/session", undefined, { authorization: `Bearer ${key}` });
  proof = answer.csrf;
}

/** Whether there is a session already. */
export async function resume() {
  try {
    const { answer } = await call("GET", "admin/session");
    proof = answer.csrf;
    return proof !== null;
  } catch (refused) {
    if (refused.status === 401) return false;
    throw refused;
  }
}

export async function signOut() {
  await call("DELETE", "admin/session").catch(() => null);
  proof = null;
  known = { path: null, tag: null };
}

/** The figures of so many days; null where they are those of the last call. */
export async function overview(days) {
  const path = `admin/overview?days=${days}`;
  const headers = known.path === path && known.tag ? { "if-none-match": known.tag } : {};
  const { response, answer } = await call("GET", path, undefined, headers);
  known = { path, tag: response.headers.get("etag") };
  return answer;
}

export async function keys() {
  const all = [];
  let next = null;
  do {
    const after = next === null ? "" : `&after=${encodeURIComponent(next)}`;
    const { answer } = await call("GET", `admin/keys?limit=1000${after}`);
    all.push(...answer.keys);
    next = answer.next;
  } while (next !== null && all.length < 5000);
  return all;
}

export const createKey = async (fields) => (await call("POST", "admin/keys", fields)).answer;
export const revokeKey = async (id) => (await call("DELETE", `admin/keys/${encodeURIComponent(id)}`)).answer;

export const acknowledge = async (id) => (await call("POST", `admin/alerts/${encodeURIComponent(id)}/acknowledge`)).answer;

const budgetPath = ({ scope, id }) => `admin/budgets/${encodeURIComponent(scope)}/${encodeURIComponent(id)}`;

export async function budget(of) {
  const tenant = of.tenant ? `?tenant=${encodeURIComponent(of.tenant)}` : "";
  return (await call("GET", budgetPath(of) + tenant)).answer;
}

export const setBudget = async (of, fields) => (await call("PUT", budgetPath(of), fields)).answer;
