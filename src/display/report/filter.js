(function () {
  "use strict";
  var box = document.getElementById("filter");
  var found = document.getElementById("found");
  var items = Array.prototype.slice.call(document.querySelectorAll("[data-words]"));
  function apply() {
    var wanted = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    var shown = 0;
    items.forEach(function (item) {
      var words = item.getAttribute("data-words");
      var match = wanted.every(function (word) { return words.indexOf(word) >= 0; });
      var folded = item.parentNode.tagName === "DETAILS";
      (folded ? item.parentNode : item).hidden = !match;
      if (match && !folded && item.tagName === "ARTICLE") shown += 1;
    });
    found.textContent = wanted.length ? shown + (shown === 1 ? " topic" : " topics") : "";
  }
  box.form.hidden = false;
  box.form.addEventListener("submit", function (event) { event.preventDefault(); });
  box.addEventListener("input", apply);
  apply();
})();
