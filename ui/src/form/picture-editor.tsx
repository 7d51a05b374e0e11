import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Choices } from "../parts/choices.tsx";
import {
  defaultScale,
  resized,
  scaleOf,
  tensorOfPixels,
  WAYS,
  waysFor,
  type Way,
} from "../tensor/picture.ts";
import { pictureLayout } from "../../../src/serving/calls/index.ts";
import { useWords } from "../words.ts";
import { DropZone } from "./drop-zone.tsx";
import type { EditorProps } from "./field.ts";

interface Chosen {
  readonly url: string;
  readonly name: string;
  readonly file: File;
  readonly bitmap: ImageBitmap;
}

/** A picture, made into the input's tensor by the browser, or by the server where the project says how. */
export function PictureEditor({ spec, isPrepared, onChange }: EditorProps): JSX.Element {
  const words = useWords();
  const layout = pictureLayout(spec);
  const [chosen, setChosen] = useState<Chosen>();
  const [way, setWay] = useState<Way>(isPrepared ? "server" : defaultScale(spec.datatype));
  const take = async (file: File): Promise<void> => {
    try {
      const bitmap = await createImageBitmap(file);
      setChosen({ url: URL.createObjectURL(file), name: file.name, file, bitmap });
    } catch {
      onChange({ problem: words.notPicture }); // the browser says no more than that
    }
  };
  useEffect(() => {
    if (chosen === undefined || layout === undefined) {
      onChange({});
      return;
    }
    const pixels = resized(chosen.bitmap, layout);
    const { width, height } = layout;
    onChange({
      value: tensorOfPixels(spec, layout, { pixels, scale: scaleOf(way, spec.datatype) }),
      ...(way === "server" && { file: chosen.file }),
      picture: { url: chosen.url, width, height },
    });
  }, [chosen, way]);
  useEffect(() => () => chosen && URL.revokeObjectURL(chosen.url), [chosen]);
  const names: Readonly<Record<Way, string>> = {
    server: words.scaleServer,
    ...{ bytes: words.scaleBytes, unit: words.scaleUnit },
    ...{ signed: words.scaleSigned, imagenet: words.scaleImagenet },
  };
  const isWhole = /^U?INT/.test(spec.datatype);
  return (
    <div class="picture">
      <DropZone text={words.dropImage} accept="image/*" take={(file) => void take(file)}>
        {chosen !== undefined && <img src={chosen.url} alt={chosen.name} />}
      </DropZone>
      <div class="picture-about">
        {(isPrepared || !isWhole) && (
          <Choices
            label={words.scale}
            value={way}
            options={waysFor(isPrepared).map((name) => [name, names[name]] as const)}
            choose={(value) => setWay(WAYS.find((name) => name === value) ?? way)}
          />
        )}
        {layout !== undefined && (
          <span class="quiet">{words.becomes(layout.shape.join(" × "))}</span>
        )}
      </div>
    </div>
  );
}
