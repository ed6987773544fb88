// Dark where the reader's system is dark. A file of its own, since the page's policy permits no script inside it.
const page = document.querySelector("rapi-doc");
const dark = matchMedia("(prefers-color-scheme: dark)");
const dress = () => page.setAttribute("theme", dark.matches ? "dark" : "light");
dark.addEventListener("change", dress);
dress();
