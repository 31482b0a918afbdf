'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const byId = (id) => document.getElementById(id);
const [ENV, NAME, TEAM, STATE, OPEN, ABOUT, FILE, LINE, REACHED_BY, BY_ALL] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const STATES = Object.fromEntries(data.states.map(([state, sign, text]) => [state, [sign, text]]));
const GIVES_ACCESS = new Set(data.states.filter(([, , , gives]) => gives).map(([state]) => state));

/** Makes an element. Text is always text: nothing of the data is read as HTML. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element && name !== 'list') element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// The data by scope, by organisation, and in lower case for the search.
const scopes = data.scopes.map((scope, index) => ({
  index, environment: data.environments[scope[ENV]], name: scope[NAME], team: data.teams[scope[TEAM]] ?? '',
  state: scope[STATE], open: scope[OPEN], description: scope[ABOUT], file: data.files[scope[FILE]],
  line: scope[LINE], reachedBy: scope[REACHED_BY], byAll: scope[BY_ALL], rows: [], text: `${scope[NAME]} ${scope[ABOUT]}`.toLowerCase(),
}));
const consumers = data.consumers.map(([orgno, name], index) => ({
  index, orgno, name, rows: [], text: `${orgno} ${name}`.toLowerCase(),
}));
const rows = data.rows.map(([scope, consumer, state, group, until, reason, file, line, from]) => {
  const row = {
    scope: scopes[scope], consumer: consumers[consumer], state: data.states[state][0], group: data.groups[group] ?? '', until,
    reason, file: data.files[file], line, from,
  };
  row.scope.rows.push(row);
  row.consumer.rows.push(row);
  return row;
});
const clients = data.clients.map(([environment, name, id, team, state, consumed, keys, file, line]) => ({
  environment: data.environments[environment], name, id, team: data.teams[team] ?? '', state, consumed, keys,
  file: data.files[file], line, text: `${name} ${id}`.toLowerCase(),
}));

const today = data.created.slice(0, 10);
const inDays = (days) => new Date(Date.parse(data.created) + days * 864e5).toISOString().slice(0, 10);
const [soon, soonForKeys] = [inDays(data.warn_days), inDays(data.warn_key_days)];
const endsSoon = (row) => row.until && row.until >= today && row.until <= soon && GIVES_ACCESS.has(row.state);

const path = (...parts) => '#/' + parts.map(encodeURIComponent).join('/');
const scopeLink = (scope) => make('a', { href: path('scope', scope.environment, scope.name), className: 'name' }, scope.name);
const consumerLink = (it) => make('a', { href: path('organisation', it.orgno) }, it.name || it.orgno);
const clientLink = (it) => make('a', { href: path('client', it.environment, it.id || it.name), className: 'name' }, it.name);
const place = (it) => (it.file ? make('code', {}, `${it.file}:${it.line}`) : null);
const stateTag = (row) => make('span', { className: `tag ${row.state}` }, STATES[row.state][1]);

// Filters.
const filters = { scope: '', consumer: '', environment: '', team: '', state: '' };

function keepsScope(scope) {
  return (!filters.environment || scope.environment === filters.environment)
    && (!filters.team || scope.team === filters.team)
    && (!filters.scope || filters.scope.every((word) => scope.text.includes(word)));
}
const keepsConsumer = (it) => !filters.consumer || filters.consumer.every((word) => it.text.includes(word));
const keepsState = (row) => !filters.state || row.state === filters.state || (filters.state === 'soon' && endsSoon(row));

/** The rows that pass all filters, in their order. */
function kept() {
  const keptScopes = scopes.map(keepsScope);
  const keptConsumers = consumers.map(keepsConsumer);
  return rows.filter((row) => keptScopes[row.scope.index] && keptConsumers[row.consumer.index] && keepsState(row));
}

const counted = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;
const number = (orgno) => make('span', { className: 'number' }, orgno);

/** A table without the columns in which nothing is written, and without the environment where there is but one. */
function table(allColumns, list, cells, most = 1000) {
  const rows = list.slice(0, most).map(cells);
  const isShown = (name, index) => (name !== 'Environment' || data.environments.length > 1) && rows.some((row) => row[index]);
  const chosen = allColumns.map(isShown);
  const columns = allColumns.filter((_, index) => chosen[index]);
  const body = rows.map((row) => make('tr', {}, ...row.filter((_, index) => chosen[index]).map((cell) => make('td', {}, cell ?? ''))));
  const rest = list.length > most ? make('p', { className: 'quiet' }, `… and ${list.length - most} more: narrow the search.`) : null;
  if (!list.length) return make('p', { className: 'quiet' }, 'None.');
  const head = make('tr', {}, ...columns.map((column) => make('th', { scope: 'col' }, column)));
  return make('div', {}, make('table', {}, make('thead', {}, head), make('tbody', {}, ...body)), rest);
}

const ACCESS_COLUMNS = ['State', 'Group', 'From', 'Until', 'Reason', 'Declared in'];
const accessCells = (row) => [stateTag(row), row.group, row.from, row.until, row.reason, place(row)];

function byScopeAndConsumer(list, most) {
  return table(['Environment', 'Scope', 'Organisation', ...ACCESS_COLUMNS], list,
    (row) => [row.scope.environment, scopeLink(row.scope), consumerLink(row.consumer), ...accessCells(row)], most);
}

// The matrix: scopes down, organisations across. Only the visible part is drawn.
const matrix = { width: 30, height: 26, side: 340, head: 190, across: [], down: [], at: [0, 0] };

/** The measures that the style chooses by the width of the window. */
function measureMatrix() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['side', 'head']) matrix[name] = parseInt(style.getPropertyValue(`--${name}`), 10);
  matrix.sizer.style.width = `${matrix.side + matrix.across.length * matrix.width + 20}px`;
  matrix.sizer.style.height = `${matrix.head + matrix.down.length * matrix.height + 20}px`;
}

function showMatrix(main) {
  const list = kept();
  const [withScope, withConsumer] = [new Set(), new Set()];
  for (const row of list) { withScope.add(row.scope); withConsumer.add(row.consumer); }
  const isFiltered = filters.consumer || filters.state;
  matrix.down = scopes.filter((scope) => (isFiltered ? withScope.has(scope) : keepsScope(scope)));
  matrix.across = consumers.filter((consumer) => withConsumer.has(consumer));
  matrix.cells = new Map();
  matrix.at = [0, 0];
  count([counted(list.length, 'access', 'accesses'), counted(matrix.down.length, 'scope'), counted(matrix.across.length, 'organisation')].join(', '));
  main.className = 'matrix';
  const present = new Set(list.map((row) => row.state));
  byId('legend').replaceChildren(...Object.entries(STATES).filter(([state]) => present.has(state))
    .map(([state, [sign, text]]) => make('li', { className: state }, `${sign} ${text}`)));
  if (!matrix.sizer) {
    matrix.top = make('div', { className: 'layer', style: 'top: 0; left: 0; z-index: 2' });
    matrix.left = make('div', { className: 'layer', style: 'top: 0; left: 0' });
    matrix.body = make('div', {});
    matrix.corner = make('div', { className: 'corner' },
      make('span', { className: 'quiet' }, 'Scopes down, organisations across. Arrow keys move, Enter opens, / searches.'));
    matrix.sizer = make('div', { className: 'sizer', tabIndex: 0, role: 'grid', ariaLabel: 'Scopes and organisations' },
      make('div', { className: 'grid', ariaHidden: 'true' }), matrix.top, matrix.left, matrix.body);
    matrix.sizer.addEventListener('keydown', moveInMatrix);
    byId('main').addEventListener('scroll', () => matrix.sizer.isConnected && drawMatrix());
  }
  matrix.top.style.top = '0px';
  matrix.sizer.setAttribute('aria-rowcount', matrix.down.length + 1);
  matrix.sizer.setAttribute('aria-colcount', matrix.across.length + 1);
  main.replaceChildren(matrix.sizer, make('div', { className: 'print' }));
  measureMatrix();
  main.scrollTo(0, 0);
  drawMatrix();
}

function cellsOf(scope) {
  let cells = matrix.cells.get(scope);
  if (!cells) {
    cells = new Map(scope.rows.filter(keepsState).map((row) => [row.consumer, row]));
    matrix.cells.set(scope, cells);
  }
  return cells;
}

function drawMatrix() {
  const main = byId('main');
  const { width, height, side, head, across, down, at } = matrix;
  const first = Math.max(0, Math.floor(main.scrollTop / height) - 3);
  const last = Math.min(down.length, first + Math.ceil(main.clientHeight / height) + 6);
  const left = Math.max(0, Math.floor(main.scrollLeft / width) - 3);
  const right = Math.min(across.length, left + Math.ceil(main.clientWidth / width) + 6);
  const put = (element, x, y) => { element.style.left = `${x}px`; element.style.top = `${y}px`; return element; };
  const body = [];
  const names = [];
  for (let y = first; y < last; y += 1) {
    const scope = down[y];
    const label = make('div', { className: 'side', role: 'rowheader', title: `${scope.name} (${scope.environment}): ${scope.description}` }, scopeLink(scope),
      data.environments.length > 1 ? make('span', { className: 'quiet' }, ` ${scope.environment}`) : null, scope.open ? make('span', { className: 'over' }, ' open') : null);
    names.push(put(label, 0, head + y * height - main.scrollTop));
    const cells = cellsOf(scope);
    const row = make('div', { role: 'row', ariaRowIndex: String(y + 2) });
    for (let x = left; x < right; x += 1) {
      const found = cells.get(across[x]);
      const isAt = at[0] === y && at[1] === x;
      if (!found && !isAt) continue;
      const [sign, text] = found ? STATES[found.state] : ['', 'no access'];
      const title = `${across[x].name || across[x].orgno}: ${text}${found && found.group ? `, by group ${found.group}` : ''}`;
      const cell = make('div', { className: `cell ${found ? found.state : ''}${isAt ? ' at' : ''}`, role: 'gridcell', title,
        ariaLabel: `${scope.name}, ${title}`, ariaColIndex: String(x + 2) }, sign);
      if (isAt) cell.id = 'at';
      row.append(put(cell, side + x * width, head + y * height));
    }
    body.push(row);
  }
  const heads = [];
  for (let x = left; x < right; x += 1) {
    const label = make('div', { className: 'head', role: 'columnheader', title: `${across[x].name} ${across[x].orgno}`.trim() }, consumerLink(across[x]));
    heads.push(put(label, side + x * width - main.scrollLeft, 0));
  }
  matrix.body.replaceChildren(...body);
  matrix.left.replaceChildren(...names);
  matrix.top.replaceChildren(...heads, put(matrix.corner, 0, 0));
  matrix.sizer.setAttribute('aria-activedescendant', 'at');
}

function moveInMatrix(event) {
  const main = byId('main');
  const { down, across, at, width, height, side, head } = matrix;
  const page = Math.max(1, Math.floor((main.clientHeight - head) / height) - 1);
  const steps = {
    ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [page, 0], PageUp: [-page, 0],
    Home: [0, -Infinity], End: [0, Infinity],
  };
  if (event.target !== matrix.sizer || !down.length || !across.length) return;
  if (event.key === 'Enter') {
    location.hash = path('scope', down[at[0]].environment, down[at[0]].name);
    return;
  }
  const step = steps[event.key];
  if (!step) return;
  event.preventDefault();
  const within = (value, length) => Math.min(Math.max(value, 0), length - 1);
  matrix.at = [within(at[0] + step[0], down.length), within(at[1] + step[1], across.length)];
  const [y, x] = [matrix.at[0] * height, matrix.at[1] * width];
  if (y < main.scrollTop) main.scrollTop = y;
  if (y + head + height > main.scrollTop + main.clientHeight) main.scrollTop = y + head + height - main.clientHeight;
  if (x < main.scrollLeft) main.scrollLeft = x;
  if (x + side + width > main.scrollLeft + main.clientWidth) main.scrollLeft = x + side + width - main.clientWidth;
  drawMatrix();
}

// The other views.
const VIEWS = {
  '': ['Matrix', showMatrix],
  requests: ['Requests', listOf('Requests that wait', (row) => row.state === 'requested')],
  ending: ['Ending soon', listOf(`Accesses that end by ${soon}`, endsSoon)],
  differences: ['Declared and live', listOf('Differences between what is declared and what is live',
    (row) => ['undeclared', 'overdue', 'missing'].includes(row.state))],
  open: ['Open to all', showOpen],
  clients: ['Our clients', showClients],
};

function listOf(heading, keeps) {
  return (main) => {
    const list = kept().filter(keeps);
    count(counted(list.length, 'access', 'accesses'));
    main.replaceChildren(make('h2', {}, heading), byScopeAndConsumer(list));
  };
}

function showOpen(main) {
  const list = scopes.filter((scope) => scope.open && keepsScope(scope));
  count(counted(list.length, 'scope'));
  main.replaceChildren(make('h2', {}, 'Scopes that are open without an access'), table(
    ['Environment', 'Scope', 'Open', 'Team', 'Description', 'Declared in'], list,
    (scope) => [scope.environment, scopeLink(scope), make('span', { className: 'over' }, scope.open), scope.team, scope.description, place(scope)]));
}

function showClients(main) {
  const keeps = (it) => (!filters.environment || it.environment === filters.environment)
    && (!filters.team || it.team === filters.team)
    && (!filters.scope || filters.scope.every((word) => it.text.includes(word) || it.consumed.some(([name]) => name.toLowerCase().includes(word))));
  const list = clients.filter(keeps);
  count(counted(list.length, 'client'));
  main.replaceChildren(make('h2', {}, 'Clients of the organisation'), table(
    ['Environment', 'Client', 'State', 'Team', 'Scopes', 'Keys', 'Declared in'], list,
    (it) => [it.environment, clientLink(it), it.state, it.team, String(it.consumed.length), String(it.keys.length), place(it)]));
}

function showScope(main, environment, name) {
  const scope = scopes.find((it) => it.environment === environment && it.name === name);
  if (!scope) return notFound(main, `There is no scope ${name} in ${environment}.`);
  const list = scope.rows.filter((row) => keepsConsumer(row.consumer) && keepsState(row));
  const users = clients.filter((it) => it.environment === environment && it.consumed.some(([consumed]) => consumed === name));
  const others = scopes.filter((it) => it.name === name && it !== scope);
  count(counted(list.length, 'access', 'accesses'));
  main.replaceChildren(make('h2', { className: 'name' }, name), make('p', {}, scope.description),
    make('p', { className: 'quiet' }, `${environment}, ${scope.state}${scope.team ? `, team ${scope.team}` : ''} `, place(scope)),
    scope.open && !scope.reachedBy ? make('p', { className: 'over' }, scope.open) : '',
    others.length ? make('p', {}, 'Also in ', ...others.flatMap((it) => [make('a', { href: path('scope', it.environment, it.name) }, it.environment), ' '])) : '',
    make('h3', {}, 'Organisations'),
    scope.reachedBy ? make('p', { className: 'over' }, `${scope.reachedBy}, without a grant`) : '',
    scope.reachedBy && !list.length ? ''
      : table(['Organisation', 'Number', ...ACCESS_COLUMNS], list, (row) => [consumerLink(row.consumer), number(row.consumer.orgno), ...accessCells(row)]),
    make('h3', {}, 'Our clients that consume it'),
    table(['Client', 'State'], users, (it) => [clientLink(it), it.state]));
}

function showConsumer(main, orgno) {
  const consumer = consumers.find((it) => it.orgno === orgno);
  if (!consumer) return notFound(main, `There is no organisation ${orgno}.`);
  const list = consumer.rows.filter((row) => keepsScope(row.scope) && keepsState(row));
  count(counted(list.length, 'access', 'accesses'));
  const open = scopes.filter((scope) => scope.byAll && keepsScope(scope));
  main.replaceChildren(make('h2', {}, consumer.name || orgno), make('p', { className: 'quiet' }, orgno),
    table(['Environment', 'Scope', 'Team', ...ACCESS_COLUMNS], list,
      (row) => [row.scope.environment, scopeLink(row.scope), row.scope.team, ...accessCells(row)]),
    ...(open.length ? [make('h3', {}, 'Like every organisation, without a grant'),
      table(['Environment', 'Scope', 'Team', 'Declared in'], open, (scope) => [scope.environment, scopeLink(scope), scope.team, place(scope)])] : []));
}

function timeLine(keys) {
  const times = keys.flatMap(([, from, to]) => [from, to]).filter(Boolean).map(Date.parse);
  const now = Date.parse(data.created);
  const [start, end] = [Math.min(now, ...times), Math.max(now, ...times)];
  const at = (time) => `${end > start ? ((time - start) / (end - start)) * 100 : 0}%`;
  return keys.map(([kid, from, to]) => {
    const [begins, ends] = [from ? Date.parse(from) : start, to ? Date.parse(to) : end];
    const kind = to && ends < now ? ' over' : to && to.slice(0, 10) <= soonForKeys ? ' soon' : '';
    const span = make('div', { className: `span${kind}` });
    span.style.left = at(begins);
    span.style.width = `calc(${at(ends)} - ${at(begins)} + 2px)`;
    const mark = make('div', { className: 'now', title: 'now' });
    mark.style.left = at(now);
    const label = `${kid}: ${from ? `from ${from.slice(0, 10)} ` : ''}${to ? `until ${to.slice(0, 10)}` : 'no end is known'}`;
    return make('div', { className: 'line' }, span, mark, make('span', { className: 'label' }, label));
  });
}

function showClient(main, environment, id) {
  const client = clients.find((it) => it.environment === environment && (it.id === id || it.name === id));
  if (!client) return notFound(main, `There is no client ${id} in ${environment}.`);
  count(`${counted(client.consumed.length, 'scope')}, ${counted(client.keys.length, 'key')}`);
  const own = (name) => scopes.find((scope) => scope.environment === environment && scope.name === name);
  main.replaceChildren(make('h2', { className: 'name' }, client.name),
    make('p', { className: 'quiet' }, `${environment}, ${client.state}${client.id ? `, ${client.id}` : ''}${client.team ? `, team ${client.team}` : ''} `, place(client)),
    make('h3', {}, 'Keys'), ...(client.keys.length ? timeLine(client.keys) : [make('p', { className: 'quiet' }, 'None.')]),
    make('h3', {}, 'Scopes that it consumes'),
    table(['Scope', 'Access'], client.consumed,
      ([name, access]) => [own(name) ? scopeLink(own(name)) : make('span', { className: 'name' }, name), access]));
}

function notFound(main, text) {
  count('');
  main.replaceChildren(make('h2', {}, 'Not found'), make('p', {}, text));
}

const count = (text) => { byId('count').textContent = text; };

/** Shows what the address names. */
function show() {
  const main = byId('main');
  const parts = location.hash.replace(/^#\/?/, '').split('/').map((part) => {
    try { return decodeURIComponent(part); } catch { return part; }
  });
  main.className = '';
  byId('legend').replaceChildren();
  for (const link of byId('views').children) {
    if (link.getAttribute('href') === path(parts[0])) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const pages = { scope: showScope, organisation: showConsumer, client: showClient };
  const [, view] = VIEWS[parts[0]] ?? [];
  if (view) view(main);
  else if (pages[parts[0]]) pages[parts[0]](main, ...parts.slice(1));
  else notFound(main, 'There is no such page.');
}

function readFilters() {
  const words = (id) => { const text = byId(id).value.trim().toLowerCase(); return text ? text.split(/\s+/) : ''; };
  filters.scope = words('scope');
  filters.consumer = words('consumer');
  for (const id of ['environment', 'team', 'state']) filters[id] = byId(id).value;
  show();
}

function start() {
  const { organization: { orgno, name }, created, source } = data;
  byId('title').textContent = `Who can reach what: ${name || orgno}`;
  const about = { live: 'live at DigDir and declared', snapshot: 'by a snapshot and declared', declared: 'as declared' };
  byId('about').textContent = `${about[source]}, ${created.replace('T', ' ').slice(0, 16)} UTC, ${data.environments.join(', ')}`;
  byId('views').append(...Object.entries(VIEWS).map(([id, [text]]) => make('a', { href: path(id) }, text)));
  const option = (value, text) => make('option', { value }, text);
  const fill = (id, any, values) => byId(id).append(option('', any), ...values.map(([value, text]) => option(value, text)));
  fill('environment', 'all', data.environments.map((it) => [it, it]));
  fill('team', 'all', data.teams.map((it) => [it, it]));
  fill('state', 'all', [...Object.entries(STATES).map(([state, [, text]]) => [state, text]), ['soon', `ends by ${soon}`]]);
  byId('filters').addEventListener('input', readFilters);
  byId('filters').addEventListener('reset', () => setTimeout(readFilters));
  byId('filters').addEventListener('submit', (event) => event.preventDefault());
  addEventListener('hashchange', () => { show(); byId('main').focus({ preventScroll: true }); });
  addEventListener('resize', () => {
    if (!matrix.sizer?.isConnected) return;
    measureMatrix();
    drawMatrix();
  });
  addEventListener('keydown', (event) => {
    if (event.key === '/' && !/INPUT|SELECT/.test(event.target.tagName)) { event.preventDefault(); byId('scope').focus(); }
  });
  addEventListener('beforeprint', () => document.querySelector('.print')?.replaceChildren(byScopeAndConsumer(kept(), Infinity)));
  show();
}
start();
