// A table that is wider than the page scrolls by itself; the keyboard must reach it too.
addEventListener("DOMContentLoaded", () => {
  const update = () => {
    for (const table of document.querySelectorAll(".bd-main table")) {
      if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
      else table.removeAttribute("tabindex");
    }
  };
  update();
  addEventListener("resize", update);
});
