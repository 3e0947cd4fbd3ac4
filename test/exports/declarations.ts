import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Node, SyntaxKind } from 'typescript/unstable/ast';
import { API, type Symbol as Exported, type Project, SymbolFlags } from 'typescript/unstable/sync';

const root = join(import.meta.dirname, '../..');

/** What can be imported from the package, by the name of the file in `src`. */
export const entries = ['index', 'attack', 'augment', 'report', 'sweep', 'testing'] as const;

/**
 * The declarations of the package as its users get them, read by TypeScript's own API.
 *
 * @param folder an empty one inside of the checkout, so that imports of other packages are found
 */
export class Declarations {
  private readonly api = new API();
  readonly project: Project;

  constructor(private readonly folder: string) {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const how = ['--emitDeclarationOnly', '--sourceMap', 'false', '--inlineSources', 'false', '--outDir', folder];
    execFileSync(process.execPath, [tsc, '-p', join(root, '.ci/tsconfig.json'), ...how], { stdio: 'inherit' });
    this.project = this.open(
      'declarations.json',
      entries.map((entry) => `${entry}.d.ts`),
    );
  }

  /** A program of files in the folder, to which `weir-engine` is the declarations. */
  open(config: string, files: readonly string[]): Project {
    const paths = { 'weir-engine': ['./index.d.ts'], 'weir-engine/*': ['./*.d.ts'] };
    const compilerOptions = { paths, verbatimModuleSyntax: false, isolatedModules: false };
    const path = join(this.folder, config);
    writeFileSync(path, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include: [], files }));
    return this.api.updateSnapshot({ openProjects: [path] }).getProject(path)!;
  }

  close(): void {
    this.api.close();
  }

  /** The names that can be imported from an entry. */
  namesIn(entry: string): string[] {
    return this.project.checker.getExportsOfModule(this.module(entry)).map(({ name }) => name);
  }

  /** Everything that can be imported from an entry, namespaces such as `layers` with their contents. */
  exportsOf(entry: string): Exported[] {
    const { checker } = this.project;
    const within = (one: Exported): Exported[] => checker.getExportsOfModule(one).map((each) => this.original(each));
    return within(this.module(entry)).flatMap((one) =>
      one.flags & SymbolFlags.Module && this.isOurs(one) ? [one, ...within(one)] : [one],
    );
  }

  private module(entry: string): Exported {
    const { checker, program } = this.project;
    return checker.getSymbolAtLocation(program.getSourceFile(join(this.folder, `${entry}.d.ts`))!)!;
  }

  /** Types of the package's own whose names stand in the declaration of a symbol. */
  typesIn(symbol: Exported): Exported[] {
    const names: Node[] = [];
    const visit = (node: Node): void => {
      if (node.kind === SyntaxKind.TypeQuery) return; // the type of a value, which has no name
      if (node.kind === SyntaxKind.Identifier) names.push(node);
      node.forEachChild(visit);
    };
    for (const declaration of symbol.declarations) visit(declaration.resolve(this.project)!);
    const found = this.project.checker.getSymbolAtLocation(names).flatMap((one) => one ?? []);
    return found.map((one) => this.original(one)).filter((one) => (one.flags & types) !== 0 && this.isOurs(one));
  }

  private original(symbol: Exported): Exported {
    return symbol.flags & SymbolFlags.Alias ? this.project.checker.getAliasedSymbol(symbol) : symbol;
  }

  private isOurs({ declarations: [first] }: Exported): boolean {
    return first?.path.toLowerCase().startsWith(this.folder.toLowerCase()) ?? false;
  }
}

const types = SymbolFlags.Class | SymbolFlags.Interface | SymbolFlags.TypeAlias | SymbolFlags.Enum;
