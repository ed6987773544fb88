/** Without a page, in tests of units. */
const elsewhere = "http://localhost/app/";

/** Path of the page, as `<base href>` says it, without a slash at its end: `/app`. */
export const appPath = new URL(globalThis.document?.baseURI ?? elsewhere).pathname.replace(/\/$/, "");

/** Path of the server: empty, or that of its public URL. */
export const serverPath = appPath.replace(/\/app$/, "");
