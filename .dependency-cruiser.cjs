// The way of the data, as rules: `npm test` holds them. A folder may import what stands before it, never what comes after.
const only = (folder, allowed) => ({
  name: `${folder}-imports-${allowed.join('-and-') || 'no-sibling'}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: `^src/(${[folder, ...allowed].join('|')})/` },
});

/** An outside library is imported in one place, so that another can take its part. */
const door = (library, file) => ({
  name: `${library.replace(/\W+/g, '-')}-has-one-door`,
  severity: 'error',
  from: { path: '^(src|workers|pipelines)/', pathNot: `^${file}` },
  to: { path: `node_modules/${library}` },
});

module.exports = {
  forbidden: [
    only('core', []),
    only('feed', ['core']),
    only('observe', ['core']),
    only('learn', ['core']),
    only('measure', ['core', 'learn']),
    {
      name: 'pipelines-import-the-index-and-rxjs',
      severity: 'error',
      from: { path: '^pipelines/' },
      to: { pathNot: '^(src/index\\.ts|node_modules/rxjs)' },
    },
    {
      name: 'workers-call-feed',
      severity: 'error',
      from: { path: '^workers/', pathNot: '^workers/monitor' },
      to: { path: '^src/', pathNot: '^src/(feed|core)/' },
    },
    {
      name: 'the-monitor-knows-no-tensors',
      severity: 'error',
      from: { path: '^(src/run/monitor/(thread|scene|facts|door|place|client|relay)|workers/monitor)' },
      to: { path: '^src/learn/' },
    },
    door('piscina', 'src/feed/augment/pool\\.ts'),
    door('sharp', 'src/feed/images/decode\\.ts'),
    door('@cornerstonejs', 'src/feed/images/plain-jpeg\\.ts'),
    door('bmp-ts', 'src/feed/images/bmp\\.ts'),
    door('msgpackr', 'src/core/pack\\.ts'),
    door('@tensorflow', 'src/learn/device/'),
    door('zod', 'src/run/config\\.ts'),
    door('commander', 'src/run/cli/'),
    door('@observablehq/plot', 'src/observe/report/'),
    door('@resvg', 'src/observe/report/'),
    door('@stdlib', 'src/observe/report/student\\.ts'),
    door('hyparquet', 'src/run/export/parquet\\.ts'),
    door('proper-lockfile', 'src/learn/device/'),
    door('lmdb', 'src/run/sweep/ledger\\.ts'),
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'everything-resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'development-stays-outside',
      severity: 'error',
      from: { path: '^(src|workers|pipelines)/' },
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
