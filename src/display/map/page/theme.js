// Light and dark, and the colors of topics and values in both.

const system = matchMedia('(prefers-color-scheme: dark)');
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const theme = { dark: false, ground: '', ink: '', muted: '', rest: '', accent: '', line: '', faint: '' };

function readTheme() {
  const root = document.documentElement;
  theme.dark = root.classList.contains('dark') || (system.matches && !root.classList.contains('light'));
  const style = getComputedStyle(root);
  for (const name of ['ground', 'ink', 'muted', 'accent', 'line', 'faint']) {
    theme[name] = style.getPropertyValue(`--${name}`).trim();
  }
  theme.rest = data.colors.rest[theme.dark ? 'dark' : 'light'];
}

function changeTheme() {
  readTheme();
  emit('theme');
}

function startTheme() {
  readTheme();
  system.addEventListener('change', changeTheme);
  byId('theme').addEventListener('click', () => {
    const dark = theme.dark;
    document.documentElement.classList.toggle('dark', !dark);
    document.documentElement.classList.toggle('light', dark);
    changeTheme();
  });
}

/** The color with this number in the palette; `null` is gray. */
function paletteColor(number) {
  const palette = data.colors[theme.dark ? 'dark' : 'light'];
  return number === null || number === undefined ? theme.rest : palette[number % palette.length];
}

/** viridis, from low to high. */
const VIRIDIS = ['#440154', '#482878', '#3e4a89', '#31688e', '#26828e', '#1f9e89', '#35b779', '#6ece58', '#b5de2b', '#fde725'];

/** The color of a share from 0 to 1: high values are far from the ground in lightness, low ones can still be seen. */
function rampColor(share) {
  const along = theme.dark ? 0.22 + 0.78 * share : 0.86 * (1 - share);
  const at = along * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(at), VIRIDIS.length - 2);
  const [from, to] = [components(VIRIDIS[low]), components(VIRIDIS[low + 1])];
  const mixed = from.map((value, i) => Math.round(value + (to[i] - value) * (at - low)));
  return `rgb(${mixed.join(' ')})`;
}

/** Red, green and blue of `#rrggbb` or `rgb(r g b)`. */
function components(color) {
  if (color.startsWith('#')) return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return color.match(/\d+/g).slice(0, 3).map(Number);
}
