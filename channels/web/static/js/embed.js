/*
 * One line puts the assistant on a city's own page:
 *
 *   <script src="https://chat.example.gov.cn/embed.js" defer></script>
 *
 * Attributes: data-language (zh-Hans, zh-Hant, en), data-label (words on the button), data-side
 * (right, left). The city's origin must be among SHIMIN_EMBED_ORIGINS. docs/web-page.md has more.
 */
(() => {
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const { origin } = new URL(script.src);
  const { language = "", label = "", side = "right" } = script.dataset;
  const WORDS = {
    "zh-Hans": ["市民服务助手", "关闭"], "zh-Hant": ["市民服務助手", "關閉"], en: ["Ask the city", "Close"],
  };
  const [name, close] = WORDS[language] ?? WORDS["zh-Hans"];
  const STYLE = `
    :host { all: initial; }
    button { background: #0f625b; border: 2px solid #fff; border-radius: 2rem; bottom: 1rem;
      box-shadow: 0 2px 12px rgb(0 0 0 / 30%); color: #fff; cursor: pointer;
      font: 600 1.0625rem/1.4 sans-serif; min-height: 3.25rem; padding: 0.5rem 1.25rem;
      position: fixed; z-index: 2147483647; }
    button:focus-visible { outline: 3px solid #c46a00; outline-offset: 2px; }
    iframe { background: #fff; border: 0; border-radius: 1rem; bottom: 5rem;
      box-shadow: 0 4px 24px rgb(0 0 0 / 30%); height: min(42rem, calc(100dvh - 6.5rem));
      position: fixed; width: min(26rem, calc(100vw - 2rem)); z-index: 2147483647; }
    iframe[hidden] { display: none; }
    .right { right: 1rem; } .left { left: 1rem; }
    @media (max-width: 30rem) { iframe { bottom: 4.75rem; height: calc(100dvh - 5.25rem);
      left: 0.25rem; right: 0.25rem; width: auto; } }`;

  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet(); // also allowed where the city's page forbids inline styles
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const button = document.createElement("button");
  button.type = "button";
  button.className = side;
  button.textContent = label || name;
  button.setAttribute("aria-expanded", "false");
  root.append(button);

  /** @type {HTMLIFrameElement|null} */
  let frame = null;

  function show(open) {
    if (!frame) {
      frame = document.createElement("iframe");
      frame.className = side;
      frame.title = label || name;
      frame.allow = `microphone ${origin}; camera ${origin}; geolocation ${origin}; clipboard-write ${origin}`;
      frame.src = `${origin}/${language ? `?lang=${encodeURIComponent(language)}` : ""}`;
      root.prepend(frame);
    }
    frame.hidden = !open;
    button.textContent = open ? close : label || name;
    button.setAttribute("aria-expanded", String(open));
    (open ? frame : button).focus();
  }

  button.addEventListener("click", () => show(button.getAttribute("aria-expanded") !== "true"));
  window.addEventListener("message", (event) => {
    const ours = event.origin === origin && frame && event.source === frame.contentWindow;
    if (ours && event.data === "shimin:close") show(false);
  });
  document.body.append(host);
})();
