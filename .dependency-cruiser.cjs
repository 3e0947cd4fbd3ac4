// The way of the data, as rules: `npm test` holds them. A room may import the rooms that stand before it, never what comes after.
const room = (folder, allowed) => ({
  name: `${folder}-imports-${allowed.join('-and-') || 'no-other-room'}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: `^src/(${[folder, 'surroundings', ...allowed].join('|')})/` },
});

/** An outside library is imported in one place, so that another can take its part. */
const door = (library, file) => ({
  name: `${library.replace(/\W+/g, '-')}-has-one-door`,
  severity: 'error',
  from: { path: '^(src|pipelines)/', pathNot: `^${file}` },
  to: { path: `node_modules/${library}` },
});

const learning = ['flow', 'storage', 'data', 'tensorflow', 'learn'];
const measuring = [...learning, 'plot', 'measure'];
const running = [...measuring, 'report', 'run'];

module.exports = {
  forbidden: [
    room('surroundings', []),
    room('flow', []),
    room('storage', ['flow']),
    room('data', ['flow', 'storage']),
    room('tensorflow', ['flow', 'storage']),
    room('learn', learning),
    room('plot', ['flow', 'storage']),
    room('measure', measuring),
    room('report', measuring),
    room('run', running),
    room('vectors', measuring),
    room('simulation', running),
    room('monitor', running),
    room('ranks', running),
    room('export', running),
    room('study', running),
    room('sweep', [...running, 'study']),
    {
      name: 'pipelines-import-the-index-and-rxjs',
      severity: 'error',
      from: { path: '^pipelines/' },
      to: {
        pathNot:
          '^(weir-engine(/(augment|attack))?$|dist/(index|augment|attack)\\.|pipelines/(shared|examples)/|node_modules/rxjs)',
      },
    },
    {
      name: 'the-monitor-knows-no-tensors',
      severity: 'error',
      from: { path: '^src/monitor/(?!control)' },
      to: { path: '^src/(learn|tensorflow)/' },
    },
    door('piscina', 'src/data/augment/'),
    door('sharp', 'src/data/images/'),
    door('@cornerstonejs', 'src/data/images/'),
    door('bmp-ts', 'src/data/images/'),
    door('msgpackr', 'src/storage/'),
    door('@tensorflow', 'src/tensorflow/'),
    door('zod', 'src/storage/record\\.ts'),
    door('commander', 'src/cli/'),
    door('@observablehq/plot', 'src/plot/'),
    door('@resvg', 'src/plot/'),
    door('fontkit', 'src/plot/'),
    door('pdfkit', 'src/plot/'),
    door('svg-to-pdfkit', 'src/plot/'),
    door('@stdlib', 'src/plot/'),
    door('fflate', 'src/export/npz\\.ts'),
    door('hyparquet-writer', 'src/export/parquet\\.ts'),
    door('hyparquet/', 'src/data/datasets/parquet(-pages)?\\.ts'),
    door('csv-parse', 'src/data/datasets/csv\\.ts'),
    door('string-width', 'src/flow/terminal\\.ts'),
    door('lmdb', 'src/sweep/ledger\\.ts'),
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    // The package's own name leads to what is built, which a checkout need not have.
    {
      name: 'everything-resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^weir-engine(/(augment|attack))?$' },
    },
    {
      name: 'development-stays-outside',
      severity: 'error',
      from: { path: '^(src|pipelines)/', pathNot: '^src/data/augment/kernels/build\\.ts' },
      to: { dependencyTypes: ['npm-dev'], pathNot: '@types' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json', '.node'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
