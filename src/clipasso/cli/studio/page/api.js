// Requests to the studio. Each failure becomes an Error whose message is a line for people.

async function asked(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("the studio does not answer; is it still running?");
  }
  if (!response.ok) {
    const told = await response.json().catch(() => ({}));
    const error = new Error(told.error || `the studio answers ${response.status}`);
    error.status = response.status;
    throw error;
  }
  return response;
}

export async function get(path) {
  return (await asked(path)).json();
}

export async function file(path) {
  const response = await asked(path);
  const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") || "");
  return { blob: await response.blob(), name: name ? name[1] : "sketch" };
}

export async function post(path, value) {
  const headers = { "content-type": "application/json" };
  return (await asked(path, { method: "POST", headers, body: JSON.stringify(value) })).json();
}

export async function put(path, body) {
  return (await asked(path, { method: "PUT", body })).json();
}

export async function remove(path) {
  return (await asked(path, { method: "DELETE" })).json();
}

// Hands a file to the person.
export function save({ blob, name }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 30000);
}
