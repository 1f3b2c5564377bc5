// A table that is wider than the page scrolls by itself; the keyboard must reach it too.
addEventListener("DOMContentLoaded", () => {
  // Names that the theme leaves out: of the search button all that it shows, of the arrows what they open.
  for (const button of document.querySelectorAll(".search-button-field")) {
    button.setAttribute("aria-label", button.textContent.replace(/\s+/g, " ").trim());
  }
  for (const summary of document.querySelectorAll("details > summary:has(.toctree-toggle)")) {
    const link = summary.closest("li").querySelector("a");
    summary.setAttribute("aria-label", `Pages below ${link.textContent.trim()}`);
  }
  // pandas leaves the heading of the index empty, which a screen reader would announce as one.
  for (const heading of document.querySelectorAll(".cell_output th:empty")) {
    heading.replaceWith(document.createElement("td"));
  }
  const update = () => {
    for (const table of document.querySelectorAll(".bd-main table")) {
      if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
      else table.removeAttribute("tabindex");
    }
  };
  update();
  addEventListener("resize", update);
});
