// Dark where the reader's system is dark. A file of its own, since the page's policy permits no script inside it.
const page = document.querySelector("rapi-doc");
const dark = matchMedia("(prefers-color-scheme: dark)");
const dress = () => page.setAttribute("theme", dark.matches ? "dark" : "light");
dark.addEventListener("change", dress);
dress();

// A narrow screen has no room for the list of operations next to the page, and a focused page cannot be left without it:
// there all operations are shown one below the other, folded, and schemas as a tree.
const narrow = matchMedia("(max-width: 767px)");
const fit = () => {
  page.setAttribute("render-style", narrow.matches ? "view" : "focused");
  page.setAttribute("schema-style", narrow.matches ? "tree" : "table");
};
narrow.addEventListener("change", fit);
fit();
