import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Box } from "../../../src/serving/calls/index.ts";
import { useWords } from "../words.ts";

/** The picture with a frame around each object whose score is high enough. Coordinates are per mille of the picture. */
export function Boxes({
  url,
  boxes,
}: {
  readonly url: string;
  readonly boxes: readonly Box[];
}): JSX.Element {
  const words = useWords();
  const [least, setLeast] = useState(0.5);
  const found = boxes.filter(({ score }) => score >= least);
  return (
    <div class="boxes">
      <label class="choices">
        <span>{words.threshold}</span>
        <input
          type="range"
          min="0"
          max="1"
          step="0.05"
          value={least}
          onInput={(event) => setLeast(Number(event.currentTarget.value))}
        />
        <output>{least.toFixed(2)}</output>
      </label>
      <div class="boxes-picture">
        <img src={url} alt="" />
        <svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">
          {found.map(({ left, top, right, bottom }, at) => (
            <rect
              key={at}
              x={1000 * left}
              y={1000 * top}
              width={Math.max(0, 1000 * (right - left))}
              height={Math.max(0, 1000 * (bottom - top))}
              vector-effect="non-scaling-stroke"
            />
          ))}
        </svg>
      </div>
      {found.length === 0 ? (
        <p class="quiet">{words.noObjects}</p>
      ) : (
        <ul>
          {found.map(({ label, score }, at) => (
            <li key={at}>
              {label} <span class="quiet">{`${(100 * score).toFixed(1)} %`}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
