import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Choices } from "../parts/choices.tsx";
import { defaultScale, resized, SCALES, tensorOfPixels, type Scale } from "../tensor/picture.ts";
import { pictureLayout } from "../../../src/serving/calls/index.ts";
import { useWords } from "../words.ts";
import { DropZone } from "./drop-zone.tsx";
import type { EditorProps } from "./field.ts";

interface Chosen {
  readonly url: string;
  readonly name: string;
  readonly bitmap: ImageBitmap;
}

/** A picture, made into the input's tensor by the browser. */
export function PictureEditor({ spec, onChange }: EditorProps): JSX.Element {
  const words = useWords();
  const layout = pictureLayout(spec);
  const [chosen, setChosen] = useState<Chosen>();
  const [scale, setScale] = useState<Scale>(defaultScale(spec.datatype));
  const take = async (file: File): Promise<void> => {
    try {
      const bitmap = await createImageBitmap(file);
      setChosen({ url: URL.createObjectURL(file), name: file.name, bitmap });
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
      value: tensorOfPixels(spec, layout, { pixels, scale }),
      picture: { url: chosen.url, width, height },
    });
  }, [chosen, scale]);
  useEffect(() => () => chosen && URL.revokeObjectURL(chosen.url), [chosen]);
  const names: Readonly<Record<Scale, string>> = {
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
        {!isWhole && (
          <Choices
            label={words.scale}
            value={scale}
            options={SCALES.map((name) => [name, names[name]] as const)}
            choose={(value) => setScale(SCALES.find((name) => name === value) ?? scale)}
          />
        )}
        {layout !== undefined && (
          <span class="quiet">{words.becomes(layout.shape.join(" × "))}</span>
        )}
      </div>
    </div>
  );
}
