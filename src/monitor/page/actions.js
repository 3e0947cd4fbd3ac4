import { $, write } from './dom.js';

let may = false;

/**
 * Takes the token out of the address, so that it is in no history and no bookmark, and turns it into a cookie that only this server
 * gets. Whoever comes without may look, and not act.
 */
export async function begin() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token !== null) {
    history.replaceState(null, '', location.pathname);
    await fetch('/api/session', { method: 'POST', headers: { 'X-Weir-Token': token } });
  }
  const answer = await fetch('/api/may');
  may = answer.ok && (await answer.json()).act === true;
  return answer.ok;
}

/** The buttons: what they do, and when they can. */
export function buttons(say) {
  const ask = async (action, done) => {
    try {
      const answer = await fetch(`/api/do/${action}`, { method: 'POST' });
      say(answer.ok ? done : (await answer.json()).message);
    } catch {
      say('the run cannot be reached');
    }
  };
  $('pause').onclick = () =>
    $('pause').dataset.does === 'resume'
      ? ask('resume', 'going on')
      : ask('pause', 'it will be held at the next barrier');
  $('snapshot').onclick = () => ask('snapshot', 'a snapshot will be written at the next barrier');
  $('stop').onclick = () => $('sure').showModal();
  $('sure').onclose = () => {
    if ($('sure').returnValue === 'stop') ask('stop', 'it will stop at the next barrier');
    $('sure').returnValue = '';
  };
}

/** Shows the buttons while the run is under way and may be acted on from here. */
export function buttonsAs(going) {
  $('controls').hidden = !may || going === undefined || going === null;
  const state = going?.state;
  const held = state === 'paused' || state === 'pausing';
  $('pause').dataset.does = held ? 'resume' : 'pause';
  write($('pause'), held ? 'Resume' : 'Pause');
  for (const id of ['pause', 'snapshot', 'stop']) $(id).disabled = state === 'stopping';
}
