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

  // --------------------------------------------------------------------------------- up

  /** The chain from `start` that always takes the largest term. Where it cannot go on, because numbers
      did not travel, it goes back and takes the next one. `next` gives the choices {id, flat, value};
      if none leads to the goal, it is the chain that was found first. */
  function search(start, isGoal, next) {
    const chain = [start], dead = new Set(), most = 2 * Study.data.nodes.length;
    const choices = ({ node, flat }) => next(node, flat).filter((each) => size(each.value) >= 0)
      .sort((a, b) => size(b.value) - size(a.value)).slice(0, 6);
    const open = [choices(start)];
    let first = null;
    for (let turns = 0; chain.length > 0 && turns < 400;) {
      if (isGoal(chain.at(-1))) return chain;
      const to = chain.length <= most ? open.at(-1).shift() : undefined;
      if (to && !dead.has(`${to.id} ${to.flat}`)) {
        chain.push(step(to.id, to.flat));
        open.push(choices(chain.at(-1)));
      } else if (!to) {
        first ??= chain.slice();
        const { node, flat } = chain.pop();
        dead.add(`${node} ${flat}`);
        open.pop();
        turns += 1;
      }
    }
    return first ?? chain;
  }

  /** The strongest chain from element `flat` of a node to the loss: [{node, flat, gradient}]. It ends
      early where no rule is known, or the numbers did not travel. */
  Study.path = (id, flat) => search(step(id, flat), ({ node }) => node === Study.data.loss, above);

  function above(id, flat) {
    const inGroup = consumers()[id].filter((user) => groupOf(user.id) === groupOf(id));
    const outside = consumers()[id].filter((user) => groupOf(user.id) < 0);
    const users = inGroup.length ? inGroup : outside;
    if (users.length === 0 && groupOf(id) >= 0) return [{ id: groupOf(id), flat, value: 1 }];  // the end of the inside
    return users.flatMap((user) => {
      const sum = Study.terms(user.id, user.k, flat);
      return (sum?.terms ?? []).sort((a, b) => size(b.value) - size(a.value)).slice(0, 3)
        .map((term) => ({ id: user.id, flat: term.via, value: term.value }));
    });
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
    const uses = (node, id) => node.kind === "op" && groupOf(id) < 0 && node.grad >= 0 &&
      node.inputs.some((input) => input >= 0 && nodes[input].kind === "parameter");
    const table = nodes.findIndex((node, id) => node.op === "embedding" && uses(node, id));
    return table >= 0 ? table : nodes.findIndex(uses);
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
    const { nodes, loss } = Study.data, reach = leadingTo(goal);
    return search(step(loss, 0), ({ node }) => goal < 0 || nodes[node].kind !== "op", (id, flat) => {
      const found = Study.ruled(id);
      const isWanted = (k) => (id === goal ? nodes[nodes[id].inputs[k]].kind === "parameter" : reach.has(nodes[id].inputs[k]));
      return (found ? contributions(found, flat, isWanted) : []).filter(({ value }) => value !== undefined)
        .map(({ k, j, value }) => ({ id: nodes[id].inputs[k], flat: j, value }));
    });
  };
})((globalThis.Study ??= {}));
