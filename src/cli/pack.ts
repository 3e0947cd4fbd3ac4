import { Command, Option } from 'commander';
import { imageFolder } from '../data/datasets/image-folder/image-folder.js';
import { packImages } from '../data/pack.js';
import { toError, toOutput } from '../flow/terminal.js';

interface PackFlags {
  readonly split?: string;
  readonly shorter?: number;
  readonly raw?: boolean;
  readonly quality?: number;
  readonly skip?: boolean;
  readonly links: 'inside' | 'follow';
}

const say = (line: string): void => void toError(`${line}\n`);

/** `weir pack FOLDER FILE`: a folder of images as one file, for data sets that are read many times. */
export function command(): Command {
  return new Command('pack')
    .description('write a folder of images into one file that is read by position')
    .argument('<folder>', 'a folder of images, by class or with its official lists')
    .argument('<file>', 'the file to write')
    .option('--split <name>', 'the part of the folder: train, val, test')
    .option('--shorter <pixels>', 'resize images so that the shorter side is at most this long', Number)
    .option('--raw', 'store pixels: many times the size, and nothing to decode')
    .option(
      '--quality <1-100>',
      'quality of JPEGs that are encoded again because their size changes (default: 90)',
      Number,
    )
    .option('--skip', 'leave out images that cannot be read, instead of refusing the folder')
    .addOption(
      new Option('--links <which>', 'links that lead out of the folder: refuse them, or follow them')
        .choices(['inside', 'follow'])
        .default('inside'),
    )
    .addHelpText('after', '\nExample:\n  weir pack imagenet train.weirpack --split train --shorter 256 --raw')
    .action(async (folder: string, file: string, { split, skip, links, quality, raw, shorter }: PackFlags) => {
      const dataset = await imageFolder({
        folder,
        say,
        links,
        unreadable: skip ? 'skip' : 'fail',
        ...(split === undefined ? {} : { split }),
      });
      const bytes = await packImages(dataset, file, {
        ...(quality === undefined ? {} : { quality }),
        ...(raw === undefined ? {} : { raw }),
        ...(shorter === undefined ? {} : { shorter }),
        progress: (done) => say(`  packed ${done} of ${dataset.size} images`),
      });
      toOutput(`${file}: ${dataset.size} images, ${(bytes / 1e6).toFixed(1)} MB\n`);
    });
}
