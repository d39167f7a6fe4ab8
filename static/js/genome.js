// Draws a place of the genome by igv.js: the run's own reference and files, nothing else.
const box = document.getElementById("genome");
const { reference, locus, tracks } = JSON.parse(document.getElementById("igv-data").textContent);
const here = (address) => new URL(address, location.href).href;
const addressed = (thing) => Object.fromEntries(Object.entries(thing).map(([name, value]) => [name, /URL$|^url$/.test(name) ? here(value) : value]));

try {
  const { default: igv } = await import(box.dataset.igv);
  const place = document.createElement("div");
  box.replaceChildren(place);
  const browser = await igv.createBrowser(place, {
    reference: { ...addressed(reference), tracks: [] },
    locus,
    tracks: tracks.map((track, order) => ({ ...addressed(track), order })),
    loadDefaultGenomes: false,
    queryParametersSupported: false,
    showSampleNames: box.clientWidth > 640,
    showCenterGuide: true,
    minimumBases: 20,
  });
  // igv.js draws on white, but leaves its words to the page's scheme: white on white.
  const light = new CSSStyleSheet();
  light.replaceSync("* { color-scheme: light !important; }");
  place.shadowRoot.adoptedStyleSheets.push(light);
  box.dataset.drawn = String(browser.trackViews.length);
} catch (error) {
  const said = document.createElement("p");
  said.className = "empty";
  said.setAttribute("role", "alert");
  said.textContent = `${box.dataset.failed} ${error?.message || error}`;
  box.replaceChildren(said);
}
