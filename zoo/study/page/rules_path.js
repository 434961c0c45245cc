// Paths: one number followed from where it is to the loss, and from the loss down to an embedding.
// At every step the path takes the largest term of the sum: the way that most of the gradient came.
(function (Study) {
  "use strict";

  // --------------------------------------------------------------------------------- the graph

  let known = null;
  /** Who uses each node: [{id, k}], nodes inside of fused ones only by each other. */
  function consumers() {
    if (known && known.data === Study.data) return known.of;
    const of = Study.data.nodes.map(() => []);
    Study.data.nodes.forEach((node, id) => node.inputs.forEach((input, k) => {
      if (input >= 0) of[input].push({ id, k });
    }));
    known = { data: Study.data, of };
    return of;
  }
  const groupOf = (id) => Study.data.nodes[id].group ?? -1;

  const gradientAt = (id, flat) => {
    const { grad } = Study.data.nodes[id];
    return grad >= 0 ? Study.at(grad, flat) : id === Study.data.loss ? 1 : undefined;
  };
  const step = (node, flat) => ({ node, flat, gradient: gradientAt(node, flat) });
  const size = (value) => (Number.isFinite(value) ? Math.abs(value) : -1);
  const largest = (list, by) => list.reduce((best, x) => (best === null || by(x) > by(best) ? x : best), null);

  // --------------------------------------------------------------------------------- up

  /** The strongest chain from element `flat` of a node to the loss: [{node, flat, gradient}]. It ends
      early where no rule is known, or the numbers did not travel. */
  Study.path = function (id, flat) {
    const chain = [step(id, flat)];
    while (id !== Study.data.loss && chain.length < 2 * Study.data.nodes.length) {
      const next = above(id, flat);
      if (!next) break;
      ({ id, flat } = next);
      chain.push(step(id, flat));
    }
    return chain;
  };

  function above(id, flat) {
    const inGroup = consumers()[id].filter((user) => groupOf(user.id) === groupOf(id));
    const outside = consumers()[id].filter((user) => groupOf(user.id) < 0);
    const users = inGroup.length ? inGroup : outside;
    if (users.length === 0 && groupOf(id) >= 0) return { id: groupOf(id), flat };  // the end of the inside
    const terms = users.flatMap((user) => {
      const sum = Study.terms(user.id, user.k, flat);
      const best = sum && largest(sum.terms, (term) => size(term.value));
      return best ? [{ id: user.id, flat: best.via, value: best.value }] : [];
    });
    return largest(terms, (term) => size(term.value));
  }

  // --------------------------------------------------------------------------------- down

  /** What dy_i of an op adds to each element of its inputs: [{k, j, value}]. */
  function contributions({ rule, op }, i, isWanted) {
    if (rule.down) return rule.down(op, i).filter(({ k }) => isWanted(k));
    return op.node.inputs.flatMap((input, k) => {
      if (input < 0 || !isWanted(k)) return [];
      return rule.reads(op, k, i).map((j) => ({ k, j, value: one(rule, op, k, j, i) }));
    });
  }
  function one(rule, op, k, j, i) {
    const product = (factors) => factors.reduce((value, f) => value * f.value, 1);
    if (!rule.terms) return op.upstream(i) * product(rule.slope ? rule.slope(op, k, j, i) : []);
    return rule.terms(op, k, j).filter((term) => term.via === i)
      .reduce((sum, term) => sum + product(term.factors), 0);
  }

  /** Where a path down leads: the first embedding, or else the first op that has a parameter. */
  function firstWithParameter() {
    const { nodes } = Study.data;
    const uses = (node) => node.kind === "op" && groupOf(nodes.indexOf(node)) < 0 &&
      node.inputs.some((input) => input >= 0 && nodes[input].kind === "parameter") && node.grad >= 0;
    const found = nodes.find((node) => uses(node) && node.op === "embedding") ?? nodes.find(uses);
    return found === undefined ? -1 : nodes.indexOf(found);
  }

  /** The nodes from which `goal` can be reached towards the inputs. */
  function leadingTo(goal) {
    const reach = new Set([goal]);
    for (let id = goal + 1; id < Study.data.nodes.length; ++id)
      if (groupOf(id) < 0 && Study.data.nodes[id].inputs.some((input) => reach.has(input))) reach.add(id);
    return reach;
  }

  /** The strongest chain from the loss to a parameter of op `goal`, usually a row of an embedding. */
  Study.pathDown = function (goal = firstWithParameter()) {
    const { nodes, loss } = Study.data, chain = [step(loss, 0)], reach = leadingTo(goal);
    let id = loss, flat = 0;
    while (goal >= 0 && nodes[id].kind === "op") {
      const found = Study.ruled(id);
      const isWanted = (k) => (id === goal ? nodes[nodes[id].inputs[k]].kind === "parameter" : reach.has(nodes[id].inputs[k]));
      const best = found && largest(contributions(found, flat, isWanted).filter(({ value }) => value !== undefined), ({ value }) => size(value));
      if (!best) break;
      id = nodes[id].inputs[best.k];
      flat = best.j;
      chain.push(step(id, flat));
    }
    return chain;
  };
})((globalThis.Study ??= {}));
