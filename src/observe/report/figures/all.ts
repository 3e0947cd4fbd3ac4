import type { Report } from '../data.js';
import { distribution } from './distribution.js';
import type { Figure } from './figure.js';
import { learning } from './learning.js';
import { pictures } from './pictures.js';
import { robustness } from './robustness.js';
import { sigma } from './sigma.js';

/** Every figure that the report has the numbers for, in the order of the page; each pipeline has its own. */
export function figures(report: Report): Figure[] {
  const pipelines = [...new Set(report.networks.map((network) => network.pipeline))];
  return pipelines.flatMap((pipeline) => {
    const networks = report.networks.filter((network) => network.pipeline === pipeline);
    const drawn = [robustness, distribution, learning, sigma, pictures].flatMap(
      (draw) => draw({ ...report, pipeline, networks }) ?? [],
    );
    if (pipelines.length === 1) return drawn;
    const name = pipeline.replace(/[^\w-]+/g, '-'); // fit for a file and an anchor
    return drawn.map((figure) => ({ ...figure, id: `${figure.id}-${name}`, title: `${pipeline}: ${figure.title}` }));
  });
}
