"use strict";
// The search works without this file. With it an area is drawn on the map: drag for a rectangle, click to set a corner.
(() => {
  const map = document.getElementById("sketch"), area = document.getElementById("s-area"), form = document.getElementById("ask");
  if (!map || !area || !window.PointerEvent) return;
  const shape = document.getElementById("drawn"), tools = document.querySelector(".draw");
  const [west, north, scale, shrink, margin] = ["west", "north", "scale", "shrink", "margin"].map((name) => +map.dataset[name]);
  let from = null, corners = [], moved = false;
  map.classList.add("drawing");
  tools.hidden = false;

  function pixel(event) {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
    return [at.x, at.y];
  }

  function degrees([x, y]) {
    const lat = north - (y - margin) / scale, lon = west + (x - margin) / (shrink * scale);
    return Math.max(-90, Math.min(90, lat)).toFixed(4) + "," + Math.max(-180, Math.min(180, lon)).toFixed(4);
  }

  function draw(points, typed) {
    shape.setAttribute("d", points.length ? "M" + points.map((one) => one.join(" ")).join("L") + "Z" : "");
    area.value = typed.map(degrees).join(" ");
  }

  function rectangle(one, two) {
    draw([one, [two[0], one[1]], two, [one[0], two[1]]], [[Math.min(one[0], two[0]), Math.max(one[1], two[1])], [Math.max(one[0], two[0]), Math.min(one[1], two[1])]]);
  }

  map.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest("a") && !corners.length) return;
    event.preventDefault();
    from = pixel(event);
    moved = false;
    map.setPointerCapture(event.pointerId);
  });
  map.addEventListener("pointermove", (event) => {
    if (!from) return;
    const at = pixel(event);
    moved = moved || Math.hypot(at[0] - from[0], at[1] - from[1]) > 4;
    if (moved) rectangle(from, at);
  });
  map.addEventListener("pointerup", () => {
    if (!from) return;
    corners = moved ? [] : [...corners, from];
    if (!moved) draw(corners, corners);
    from = null;
  });
  map.addEventListener("click", (event) => { if (corners.length || moved) event.preventDefault(); moved = false; });
  map.addEventListener("dragstart", (event) => event.preventDefault());
  document.getElementById("area-clear").addEventListener("click", () => { corners = []; draw([], []); });
  document.getElementById("area-use").addEventListener("click", () => form.requestSubmit());
})();
