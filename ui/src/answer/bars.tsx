import type { JSX } from "preact";
import type { ClassShare } from "../../../src/serving/calls/index.ts";
import { useWords } from "../words.ts";

const MAX_BARS = 10;
const MAX_ROWS = 20;

/** Classes of each row, best first. Widths are attributes of SVG, since the page allows no inline styles. */
export function Bars({
  name,
  rows,
}: {
  readonly name: string;
  readonly rows: readonly (readonly ClassShare[])[];
}): JSX.Element {
  const words = useWords();
  return (
    <div class="bars">
      <h3>{name}</h3>
      {rows.slice(0, MAX_ROWS).map((row, at) => (
        <div key={at}>
          {rows.length > 1 && <p class="quiet">{`${words.row} ${at + 1}`}</p>}
          <table>
            <tbody>
              {row.slice(0, MAX_BARS).map(({ label, share }, place) => (
                <tr key={label} class={place === 0 ? "best" : ""}>
                  <th scope="row">{label}</th>
                  <td class="bar-cell">
                    <svg width="100%" height="14" aria-hidden="true">
                      <rect class="bar-track" width="100%" height="14" rx="3" />
                      <rect class="bar-fill" width={`${100 * share}%`} height="14" rx="3" />
                    </svg>
                  </td>
                  <td class="number">{`${(100 * share).toFixed(1)} %`}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {row.length > MAX_BARS && <p class="quiet">{words.more(row.length - MAX_BARS)}</p>}
        </div>
      ))}
      {rows.length > MAX_ROWS && <p class="quiet">{words.more(rows.length - MAX_ROWS)}</p>}
    </div>
  );
}
