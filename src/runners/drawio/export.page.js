// Runs in the program's own export page, which has loaded draw.io. Every function is called from outside.
/* global Blob, DOMParser, Editor, FileReader, XMLHttpRequest, document, mxConstants, mxUtils, render, setTimeout */
/* eslint no-unused-vars: ["error", { "varsIgnorePattern": "^capstan" }] */

/** The pages of a file, by name; null for one without. Throws where it is no draw.io file. */
function capstanPages(xml) {
  const doc = new DOMParser().parseFromString(xml, 'text/xml');
  const fault = doc.querySelector('parsererror');
  if (fault !== null) throw new Error(`not XML: ${fault.textContent.replace(/\s+/g, ' ').slice(0, 200)}`);
  const root = doc.documentElement.nodeName;
  if (root === 'mxGraphModel') return [null];
  if (root !== 'mxfile') throw new Error(`the root is <${root}>, not <mxfile>`);
  const pages = [...doc.documentElement.children].filter(({ nodeName }) => nodeName === 'diagram');
  if (pages.length === 0) throw new Error('it has no page');
  return pages.map((page) => {
    if (Editor.parseDiagramNode(page) === null) throw new Error('a page cannot be unpacked');
    return page.getAttribute('name');
  });
}

/** Draws one page into this document. */
async function capstanDraw(request) {
  const graph = render({ ...request, from: request.page, to: request.page, border: 0 });
  for (;;) {
    const done = document.getElementById('LoadingComplete');
    if (done !== null) return { graph, bounds: JSON.parse(done.getAttribute('bounds')) };
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function capstanPng(request) {
  const { bounds } = await capstanDraw({ ...request, format: 'png' });
  const missing = await capstanMissing(document.body);
  return {
    width: Math.max(1, Math.ceil(bounds.x + bounds.width)),
    height: Math.max(1, Math.ceil(bounds.y + bounds.height)),
    empty: bounds.width <= 1,
    missing,
  };
}

async function capstanSvg(request) {
  const { graph, bounds } = await capstanDraw({ ...request, format: 'svg', scale: 1 });
  const background = graph.background === mxConstants.NONE ? null : graph.background;
  graph.mathEnabled = false;
  const svg = graph.getSvg(background, 1, 0, false, null, true, null, null, null);
  if (graph.shadowVisible) graph.addSvgShadow(svg);
  const missing = await capstanEmbed(svg);
  return { svg: mxUtils.getXml(svg), empty: bounds.width <= 1, missing };
}

function capstanImages(root) {
  return [...root.getElementsByTagName('image'), ...root.getElementsByTagName('img')].map((node) => {
    const name = node.localName === 'img' ? 'src' : node.hasAttribute('xlink:href') ? 'xlink:href' : 'href';
    return { node, name, url: node.getAttribute(name) ?? '' };
  });
}

async function capstanMissing(root) {
  const found = capstanImages(root).filter(({ url }) => /^(https?:)?\/\//i.test(url));
  return [...new Set(found.map(({ url }) => url))];
}

/** Puts the icons of the program into the drawing; gives the addresses of what could not be had. */
async function capstanEmbed(root) {
  const missing = new Set();
  for (const { node, name, url } of capstanImages(root)) {
    if (url === '' || url.startsWith('data:')) continue;
    const data = await capstanFetch(url);
    if (data === null) missing.add(url);
    else node.setAttribute(name, data);
  }
  return [...missing];
}

function capstanFetch(url) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.responseType = 'blob';
    request.onerror = () => resolve(null);
    request.onload = () => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => resolve(null);
      const type = /\.svg$/i.test(url) ? 'image/svg+xml' : request.response.type;
      reader.readAsDataURL(new Blob([request.response], { type }));
    };
    try {
      request.open('GET', url);
      request.send();
    } catch {
      resolve(null);
    }
  });
}
