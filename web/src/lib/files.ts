/** Files that wait to be sent. They survive a reload, like the texts in `kept.ts`. */

const DATABASE = "chasqui";
const STORE = "files";

function open(): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
}

async function run<T>(mode: IDBTransactionMode, act: (files: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    return await new Promise<T>((done, fail) => {
      const request = act(database.transaction(STORE, mode).objectStore(STORE));
      request.onsuccess = () => done(request.result);
      request.onerror = () => fail(request.error);
    });
  } finally {
    database.close();
  }
}

export async function put(key: string, file: File): Promise<void> {
  await run("readwrite", (files) => files.put(file, key));
}

export async function get(key: string): Promise<File | undefined> {
  return (await run("readonly", (files) => files.get(key))) as File | undefined;
}

export async function remove(key: string): Promise<void> {
  await run("readwrite", (files) => files.delete(key));
}

export async function clear(): Promise<void> {
  await run("readwrite", (files) => files.clear());
}
