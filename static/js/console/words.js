// The console's words stand in the page, as data-word-…; figures are written as its language does.
export class Words {
  constructor(box) {
    this.texts = box.dataset;
    this.language = document.documentElement.lang || "en";
    this.numbers = new Intl.NumberFormat(this.language);
  }
  word(name, values = {}) {
    const text = this.texts[`word${name[0].toUpperCase()}${name.slice(1)}`] ?? name;
    return text.replace(/\{(\w+)\}/g, (all, key) => {
      const value = values[key];
      return typeof value === "number" ? this.number(value) : value ?? all;
    });
  }
  number(value) {
    return this.numbers.format(value);
  }
  bytes(size) {
    const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
    let at = 0;
    for (; size >= 999.5 && at < units.length - 1; at += 1) size /= 1000;
    const digits = at && size < 100 ? 1 : 0;
    return new Intl.NumberFormat(this.language, { style: "unit", unit: units[at], maximumFractionDigits: digits }).format(size);
  }
  // Seconds as 1:02:03.
  span(seconds) {
    const whole = Math.ceil(seconds);
    const two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    return `${hours ? `${hours}:` : ""}${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  }
}
