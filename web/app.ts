import "./styles/base.css";
import "./styles/parts.css";
import "./styles/inspect.css";
import "./styles/trader.css";
import { Shell } from "./components/shell.ts";
import { html, render } from "./lib/html.ts";

const root = document.getElementById("app");
if (root) render(html`<${Shell} />`, root);
