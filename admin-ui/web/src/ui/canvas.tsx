// A canvas that follows its box and the theme. Drawing code gets CSS pixels and a way to read colour tokens.
import type { ComponentChildren, HTMLAttributes } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { isDark } from '../state/prefs';

export interface Brush {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
  /** The value of a colour token, such as `--text-3`. */
  token: (name: string) => string;
}

type Props = Omit<HTMLAttributes<HTMLDivElement>, 'ref' | 'children'> & {
  draw: (brush: Brush) => void;
  children?: ComponentChildren;
};

export function Canvas({ draw, children, ...rest }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef(draw);
  latest.current = draw;
  const dark = isDark();
  const paint = () => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context) return;
    const box = element.getBoundingClientRect();
    if (box.width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(box.width * ratio);
    const height = Math.round(box.height * ratio);
    if (element.width !== width || element.height !== height) {
      element.width = width;
      element.height = height;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, box.width, box.height);
    const style = getComputedStyle(element);
    latest.current({ context, width: box.width, height: box.height, token: (name) => style.getPropertyValue(name).trim() });
  };
  const painter = useRef(paint);
  painter.current = paint;
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const observer = new ResizeObserver(() => painter.current());
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  // Painted after every render: the props are what changes the picture.
  useEffect(() => {
    const frame = requestAnimationFrame(() => painter.current());
    return () => cancelAnimationFrame(frame);
  }, [draw, dark]);
  return (
    <div {...rest}>
      <canvas ref={canvas} aria-hidden="true" />
      {children}
    </div>
  );
}

/** A quiet line over its own area; the end is the present moment. */
export function Spark({ values, label }: { values: (number | null)[]; label: string }) {
  const draw = ({ context, width, height, token }: Brush) => {
    const known = values.filter((value): value is number => value !== null);
    if (known.length < 2) return;
    const most = Math.max(...known);
    const least = Math.min(...known, most * 0.6);
    const span = most - least || 1;
    const x = (i: number) => (i / (values.length - 1)) * (width - 4);
    const y = (value: number) => height - 2 - ((value - least) / span) * (height - 6);
    const runs: [number, number][][] = [];
    let run: [number, number][] = [];
    values.forEach((value, i) => {
      if (value === null) {
        if (run.length) runs.push(run);
        run = [];
      } else run.push([x(i), y(value)]);
    });
    if (run.length) runs.push(run);
    for (const points of runs) {
      const [first] = points;
      const last = points.at(-1);
      if (!first || !last) continue;
      context.beginPath();
      context.moveTo(first[0], height);
      for (const [px, py] of points) context.lineTo(px, py);
      context.lineTo(last[0], height);
      context.fillStyle = token('--sunken');
      context.fill();
      context.beginPath();
      points.forEach(([px, py], i) => (i === 0 ? context.moveTo(px, py) : context.lineTo(px, py)));
      context.strokeStyle = token('--text-2');
      context.lineWidth = 1.25;
      context.stroke();
    }
    const end = values.at(-1);
    if (end !== null && end !== undefined) {
      context.beginPath();
      context.arc(width - 4, y(end), 2.5, 0, 7);
      context.fillStyle = token('--now');
      context.fill();
    }
  };
  return <Canvas class="spark" draw={draw} role="img" aria-label={label} />;
}
