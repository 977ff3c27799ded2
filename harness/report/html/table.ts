import { html, type Content, type Markup } from './markup.ts';

/** Heading of a column of words. */
export const words = (name: string): Markup => html`<th>${name}</th>`;
/** Heading of a column of figures, which stand to the right. */
export const figures = (name: string): Markup => html`<th class="n">${name}</th>`;

/** A table that scrolls by itself where the page is narrow. Rows are `<tr>`s; the cells of a column of figures have the class `n`. */
export function table(headings: readonly Markup[], rows: Content): Markup {
  return html`<div class="wide">
    <table>
      <thead>
        <tr>
          ${headings}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}
