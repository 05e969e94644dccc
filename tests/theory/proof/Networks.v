(* Networks, and the theorem behind every floor.

   A pair is a (sample, position): "the output of pair p" is the output at that position of that
   sample.  A layer is *any* function of a pair's own state and of the list of (state, relation) that
   it sees.  No formula is asked of it, no continuity, no width: only that it keeps the promise of its
   class.  Which heads keep which promise is the subject of Heads.v.

   Theorem ([stable_sound]).  Let a partition of the pairs be stable: members of a group have equal
   tokens, and each member and the first of its group see the same, with respect to the partition
   itself.  Then every network whose layers are of the class maps the members of a group to equal
   outputs, at every depth.

   Theorem ([rounds_sound]).  Pairs that k rounds of refinement leave together get equal outputs from
   every network of k layers, and of fewer ([fewer_layers_sound]). *)

Require Import List Arith NArith Lia Permutation.
Require Import Urpe.Views.
Import ListNotations.

(* What a class promises about rows that see one thing only. *)
Inductive clause {Rel : Type} : Type :=
| no_clause    (* nothing: a value term, a sink, a sigmoid *)
| one_colour   (* a view of one single state u depends on u alone ("stochastic": constant row sums) *)
| products     (* nor does a view that is a product notice the relations (additive biases) *)
| values (v : Rel -> N)  (* a view of one single state, whose relations have one value (of C), on these two *)
| ratios (v : Rel -> N) (code : Rel -> Rel -> N * N). (* nor does a view of the same ratios of weights, which
                                                         are products: additive biases *)

(* Products of the weights of two relations: of free ones, numbered, and of powers of one number. *)
Definition free {Rel} (number : Rel -> N) (r s : Rel) : N * N :=
  (N.min (number r) (number s), N.max (number r) (number s)).
Definition powers {Rel} (exponent : Rel -> N) (r s : Rel) : N * N := (exponent r + exponent s, 0)%N.

Record class {Rel : Type} : Type := { of_kind : kind; with_clause : @clause Rel }.

(* Views that a layer of class [c] maps alike. *)
Definition same_view {Rel} (c : @class Rel) {T} (n : nat) (xs : list (T * Rel)) (m : nat) (ys : list (T * Rel))
  : Prop :=
  alike (of_kind c) n xs m ys \/
  match with_clause c with
  | no_clause => False
  | one_colour => one_thing xs ys
  | products => product xs ys
  | values v => one_value v xs ys
  | ratios v code => same_ratios v code xs ys
  end.

Lemma same_view_map : forall {Rel} (c : @class Rel) {T U} (f : T -> U) n (xs : list (T * Rel)) m ys,
  same_view c n xs m ys -> same_view c n (map (on_thing f) xs) m (map (on_thing f) ys).
Proof.
  intros Rel c T U f n xs m ys [H | H]; [ left; now apply alike_map | right ].
  destruct (with_clause c); auto using one_thing_map, product_map, one_value_map, same_ratios_map.
Qed.

(* The promise of a class: a layer, or a head, gives equal results on views that the class does not
   tell apart.  [Out] is the type of results: states for layers, lists of numbers for heads. *)
Definition promise {Rel} (c : @class Rel) {State Out} (L : State -> nat -> list (State * Rel) -> Out) : Prop :=
  forall h n xs m ys, same_view c n xs m ys -> L h n xs = L h m ys.

Section Networks.

Context {Pair State Rel : Type}.

(* What mask, encoding and C make of the inputs in one layer: the number that each row may use, and
   the list of pairs that it sees, each with its relation. *)
Record sight : Type := { number : Pair -> nat; sees : Pair -> list (Pair * Rel) }.

Definition layer : Type := State -> nat -> list (State * Rel) -> State.

(* What p sees when every pair q shows [show q]: its state, or its colour. *)
Definition view {T} (s : sight) (show : Pair -> T) (p : Pair) : list (T * Rel) :=
  map (on_thing show) (sees s p).

Definition apply (s : sight) (L : layer) (h : Pair -> State) (p : Pair) : State :=
  L (h p) (number s p) (view s h p).

(* A plan says what the layers of a network see and promise, in turn. *)
Definition plan : Type := list (sight * @class Rel).
Definition network : Type := list (sight * layer).

Definition follows (step : sight * @class Rel) (stage : sight * layer) : Prop :=
  fst stage = fst step /\ promise (snd step) (snd stage).

Fixpoint states (h : Pair -> State) (net : network) : Pair -> State :=
  match net with
  | [] => h
  | (s, L) :: rest => states (apply s L h) rest
  end.

(* ---- partitions ---------------------------------------------------------------------------------- *)

(* A partition names for each pair the first member of its group. *)
Definition partition : Type := Pair -> Pair.

(* Under step (s, c), p and q are seen alike by a partition. *)
Definition seen_alike (s : sight) (c : @class Rel) (first : partition) (p q : Pair) : Prop :=
  same_view c (number s p) (view s first p) (number s q) (view s first q).

Definition equal_on (first : partition) {T} (h : Pair -> T) : Prop := forall p, h p = h (first p).

Lemma view_of_equal : forall s (first : partition) (h : Pair -> State) p,
  equal_on first h -> view s h p = map (on_thing h) (view s first p).
Proof.
  intros s first h p H. unfold view. rewrite map_map. apply map_ext.
  intros [q r]. unfold on_thing; simpl. now rewrite <- H.
Qed.

(* The one step of the induction: pairs of equal state that are seen alike stay equal. *)
Lemma apply_equal : forall s c L (first : partition) h p q,
  promise c L -> equal_on first h -> h p = h q -> seen_alike s c first p q ->
  apply s L h p = apply s L h q.
Proof.
  intros s c L first h p q HL Hh Hpq H. unfold apply.
  rewrite Hpq, (view_of_equal s first h p Hh), (view_of_equal s first h q Hh).
  apply HL. now apply same_view_map.
Qed.

(* ---- a stable partition serves every depth ---------------------------------------------------------- *)

Definition stable (steps : plan) (first : partition) : Prop :=
  forall s c, In (s, c) steps -> forall p, seen_alike s c first p (first p).

(* Every layer is one of the plan's: the layers may come in any order and number. *)
Definition made_of (steps : plan) (net : network) : Prop :=
  Forall (fun stage => exists step, In step steps /\ follows step stage) net.

Theorem stable_sound : forall steps first (h : Pair -> State) net,
  stable steps first -> equal_on first h -> made_of steps net ->
  equal_on first (states h net).
Proof.
  intros steps first h net Hs Hh Hnet. revert h Hh.
  induction Hnet as [| [s L] rest Hstage Hrest IH]; intros h Hh; simpl; auto.
  apply IH. intros p. destruct Hstage as ([s' c] & Hin & Hsee & HL). simpl in Hsee, HL. subst s'.
  apply (apply_equal s c L first); auto.
Qed.

(* ---- k rounds serve k layers ---------------------------------------------------------------------- *)

(* One round: each pair stays with its new first member only if both were in one group before and the
   old partition sees them alike. *)
Definition round (s : sight) (c : @class Rel) (first next : partition) : Prop :=
  forall p, first (next p) = first p /\ seen_alike s c first p (next p).

(* The rounds of a plan lead from the partition [first] to the partition [last]. *)
Inductive rounds : partition -> plan -> partition -> Prop :=
| no_round first : rounds first [] first
| a_round first s c next rest last :
    round s c first next -> rounds next rest last -> rounds first ((s, c) :: rest) last.

Lemma apply_round : forall s c L first next h,
  promise c L -> equal_on first h -> round s c first next -> equal_on next (apply s L h).
Proof.
  intros s c L first next h HL Hh Hround p. destruct (Hround p) as [Hold Hsee].
  apply (apply_equal s c L first); auto. now rewrite Hh, <- Hold, <- Hh.
Qed.

Theorem rounds_sound : forall steps first last (h : Pair -> State) net,
  rounds first steps last -> equal_on first h -> Forall2 follows steps net ->
  equal_on last (states h net).
Proof.
  intros steps first last h net Hrounds. revert h net.
  induction Hrounds as [first | first s c next rest last Hround _ IH]; intros h net Hh Hnet.
  - inversion Hnet; subst. exact Hh.
  - inversion Hnet as [| ? [s' L] ? net' [Hs HL] Hrest]; subst. simpl in Hs, HL. subst s'.
    simpl. apply IH; auto. now apply apply_round with c first.
Qed.

Lemma rounds_app : forall steps more first last,
  rounds first (steps ++ more) last -> exists mid, rounds first steps mid /\ rounds mid more last.
Proof.
  induction steps as [| [s c] rest IH]; simpl; intros more first last H.
  - exists first. split; [ constructor | auto ].
  - inversion H as [| ? ? ? next ? ? Hr Hrest]; subst.
    destruct (IH _ _ _ Hrest) as (mid & H1 & H2). exists mid. split; auto. now apply a_round with next.
Qed.

(* A group's first member is its own first. *)
Definition names_groups (first : partition) : Prop := forall p, first (first p) = first p.

Lemma rounds_refine : forall steps first last,
  rounds first steps last -> names_groups last -> forall p, first (last p) = first p.
Proof.
  induction 1 as [first | first s c next rest last Hround _ IH]; intros Hn p; auto.
  destruct (Hround (last p)) as [Hl _]. destruct (Hround p) as [Hp _].
  now rewrite <- Hl, IH, Hp.
Qed.

Theorem fewer_layers_sound : forall steps more first last (h : Pair -> State) net,
  rounds first (steps ++ more) last -> names_groups last ->
  equal_on first h -> Forall2 follows steps net ->
  equal_on last (states h net).
Proof.
  intros steps more first last h net H Hn Hh Hnet.
  destruct (rounds_app _ _ _ _ H) as (mid & H1 & H2).
  assert (Hmid := rounds_sound _ _ _ _ _ H1 Hh Hnet).
  intros p. now rewrite (Hmid p), (Hmid (last p)), (rounds_refine _ _ _ H2 Hn p).
Qed.

(* ---- rows that see one colour ------------------------------------------------------------------------ *)

(* The paper's negative result, for any plan: if every layer has the clause of one colour, no row is
   empty, and all tokens are equal, then all outputs are equal, at every depth. *)
Theorem identical_states : forall (net : network) (h : Pair -> State),
  (forall p q, h p = h q) ->
  Forall (fun stage => (forall p, sees (fst stage) p <> []) /\
                       exists k, promise {| of_kind := k; with_clause := one_colour |} (snd stage)) net ->
  forall p q, states h net p = states h net q.
Proof.
  intros net h Hh Hnet p q. set (first := fun _ : Pair => p).
  assert (H : equal_on first (states h net)); [ | now rewrite (H q) ].
  revert h Hh. induction Hnet as [| [s L] rest [Hsee (k & HL)] _ IH]; intros h Hh; [ intros r; apply Hh | ].
  simpl. apply IH. intros r t. simpl in Hsee, HL.
  apply (apply_equal s {| of_kind := k; with_clause := one_colour |} L first); auto; [ intros x; apply Hh | ].
  right. exists p. assert (Hall : forall x, shows_only p (view s first x)); [ | split; apply Hall ].
  intros x. split; [ apply map_not_nil, Hsee | ]. apply Forall_map, Forall_forall. reflexivity.
Qed.

(* Members of one group agree with each other, and so do all readings of their states: logits, labels,
   the final norm and the output matrix. *)
Corollary group_agrees : forall (first : partition) {Out} (read : State -> Out) (h : Pair -> State) p q,
  equal_on first h -> first p = first q -> read (h p) = read (h q).
Proof. intros first Out read h p q H Hpq. now rewrite (H p), (H q), Hpq. Qed.

End Networks.
