import { createRequire } from 'node:module';
import { type ResvgRenderOptions, renderAsync } from '@resvg/resvg-js';

const resolve = createRequire(import.meta.url).resolve;
const FONTS = ['400Regular/Inter_400Regular.ttf', '600SemiBold/Inter_600SemiBold.ttf'];

/** Renders an SVG as PNG on white, `zoom` pixels to one of its units, in a font of our own: the machine may have none. */
export async function raster(svg: string, zoom = 2): Promise<Buffer> {
  const options: ResvgRenderOptions = {
    background: '#ffffff',
    fitTo: { mode: 'zoom', value: zoom },
    font: {
      loadSystemFonts: false,
      fontFiles: FONTS.map((file) => resolve(`@expo-google-fonts/inter/${file}`)),
      defaultFontFamily: 'Inter',
      sansSerifFamily: 'Inter',
    },
    logLevel: 'off',
  };
  return (await renderAsync(svg, options)).asPng();
}
