import type { ComponentChildren, JSX } from "preact";
import { useId, useState } from "preact/hooks";

/** Takes a file: dropped, or chosen with the browser's own dialogue. */
export function DropZone({
  text,
  accept,
  take,
  children,
}: {
  readonly text: string;
  /** As `accept` of a file input has it. */
  readonly accept: string;
  readonly take: (file: File) => void;
  readonly children?: ComponentChildren;
}): JSX.Element {
  const id = useId();
  const [isOver, setOver] = useState(false);
  const over = (value: boolean) => (event: Event) => {
    event.preventDefault();
    setOver(value);
  };
  return (
    <label
      for={id}
      class={isOver ? "drop drop-over" : "drop"}
      onDragOver={over(true)}
      onDragLeave={over(false)}
      onDrop={(event) => {
        over(false)(event);
        const file = event.dataTransfer?.files[0];
        if (file !== undefined) take(file);
      }}
    >
      <input
        id={id}
        type="file"
        accept={accept}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file !== undefined) take(file);
        }}
      />
      {children}
      <span>{text}</span>
    </label>
  );
}
