(* Which head is in which class: formulas with real numbers.

   A head maps the query's own state, the number of its row and what it sees to a list of real
   numbers, one for each channel.  A layer is any function of the own state and of its heads' outputs
   ([promise_of_heads]): output matrix, residual, norm and feed-forward network, of any depth and
   width, all are such functions.  So a layer is in the class of its heads.

   Scores, values and C below are arbitrary real functions of what they may depend on: a score of the
   query's state, of the row's number, of the key's state and of the relation; a value of the key's
   state (of the relation, too, where the encoding has a value term); C of the relation.  Weight
   matrices and tables are special cases. *)

Require Import List Arith NArith Lia Permutation Reals Lra.
Require Import Urpe.Views Urpe.Networks Urpe.Sums.
Import ListNotations.
Open Scope R_scope.

Section Heads.

Context {State Rel : Type}.

Local Notation seen := (State * Rel)%type.
Definition head (Out : Type) : Type := State -> nat -> list seen -> Out.

Definition class_of (k : kind) (c : @clause Rel) : @class Rel := {| of_kind := k; with_clause := c |}.

(* ---- promises, and how they combine ----------------------------------------------------------------- *)

(* Whatever a layer does with its own state and its heads' outputs, it keeps their promise. *)
Theorem promise_of_heads : forall c {Out} (heads : list (head Out)) (rest : State -> list Out -> State),
  Forall (promise c) heads ->
  promise c (fun h n xs => rest h (map (fun hd => hd h n xs) heads)).
Proof.
  intros c Out heads rest H h n xs m ys Hsame. f_equal. apply map_ext_in.
  intros hd Hin. rewrite Forall_forall in H. exact (H hd Hin h n xs m ys Hsame).
Qed.

(* A head may also use a first pass over what it sees (a threshold, a maximum, a length), as long as
   that pass keeps the promise. *)
Lemma promise_with : forall c {Mid Out} (pass : head Mid) (hd : Mid -> head Out),
  promise c pass -> (forall t, promise c (hd t)) ->
  promise c (fun h n xs => hd (pass h n xs) h n xs).
Proof.
  intros c Mid Out pass hd Hp Hd h n xs m ys H. rewrite (Hp h n xs m ys H). now apply Hd.
Qed.

(* A class that promises more serves one that promises less: heads of different classes in one layer
   are all in the class of the least promise. *)
Lemma promise_ordered : forall k {Out} (L : head Out),
  promise (class_of k no_clause) L -> promise (class_of ordered no_clause) L.
Proof.
  intros k Out L H h n xs m ys [Ha | []]. apply H. left. now apply ordered_alike.
Qed.

Lemma promise_counted : forall {Out} (L : head Out),
  promise (class_of normalised no_clause) L -> promise (class_of counted no_clause) L.
Proof. intros Out L H h n xs m ys [Ha | []]. apply H. left. now apply counted_normalised. Qed.

Lemma promise_drop_clause : forall k c {Out} (L : head Out),
  promise (class_of k c) L -> promise (class_of k no_clause) L.
Proof. intros k c Out L H h n xs m ys [Ha | []]. apply H. now left. Qed.

(* The promises in words: order does not matter; nor does seeing everything k times. *)
Definition order_free {Out} (L : head Out) : Prop :=
  forall h n xs ys, Permutation xs ys -> L h n xs = L h n ys.
Definition scale_free {Out} (L : head Out) : Prop :=
  forall h n xs k, (0 < k)%nat -> L h n (times k xs) = L h n xs.
(* A view of one state u depends on u alone. *)
Definition stochastic {Out} (L : head Out) : Prop :=
  exists g : State -> State -> Out, forall h n xs u, shows_only u xs -> L h n xs = g h u.

Lemma counted_promise : forall {Out} (L : head Out),
  promise (class_of counted no_clause) L <-> order_free L.
Proof.
  intros Out L. split.
  - intros H h n xs ys Hp. apply H. left. now split.
  - intros H h n xs m ys [[-> Hp] | []]. now apply H.
Qed.

Lemma normalised_promise : forall {Out} (L : head Out),
  promise (class_of normalised no_clause) L <-> order_free L /\ scale_free L.
Proof.
  intros Out L. split.
  - intros H. split.
    + apply counted_promise. now apply promise_counted.
    + intros h n xs k Hk. apply H. left. split; auto. exists 1%nat, k. repeat split; auto.
      now rewrite times_1.
  - intros [Ho Hs] h n xs m ys [[-> (a & b & Ha & Hb & Hp)] | []].
    rewrite <- (Hs h m xs a Ha), <- (Hs h m ys b Hb). now apply Ho.
Qed.

Lemma clause_promise : forall k {Out} (L : head Out),
  promise (class_of k no_clause) L -> stochastic L -> promise (class_of k one_colour) L.
Proof.
  intros k Out L H (g & Hg) h n xs m ys [Ha | (u & Hx & Hy)].
  - apply H. now left.
  - now rewrite (Hg _ _ _ u Hx), (Hg _ _ _ u Hy).
Qed.

(* Views of one thing are of one state, so what promises the clause of one colour promises this one. *)
Lemma one_colour_values : forall k (v : Rel -> N) {Out} (L : head Out),
  promise (class_of k one_colour) L -> promise (class_of k (values v)) L.
Proof.
  intros k v Out L H h n xs m ys [Ha | (u & Hx & Hy)]; [ apply H; now left | ].
  assert (E : forall zs, shows_only u (map (valued v) zs) -> shows_only (fst u) zs).
  { intros zs [Hne Hz]. split; [ intros ->; now apply Hne | ].
    rewrite Forall_map in Hz. refine (Forall_impl _ _ Hz). intros x Hx'. now rewrite <- Hx'. }
  apply H. right. exists (fst u). auto.
Qed.

Lemma shows_only_in : forall (u : State) (xs : list seen) x, shows_only u xs -> In x xs -> fst x = u.
Proof. intros u xs x [_ H] Hin. rewrite Forall_forall in H. now apply H. Qed.

(* ---- sums ------------------------------------------------------------------------------------------- *)

(* Output channels 0, 1, .., d - 1. *)
Definition per_channel (d : nat) (f : nat -> R) : list R := map f (seq 0 d).

Lemma per_channel_ext : forall d f g, (forall ch, f ch = g ch) -> per_channel d f = per_channel d g.
Proof. intros. now apply map_ext. Qed.

(* Any function of the own state, the row's number and finitely many sums over what is seen. *)
Definition of_sums {Out} (G : State -> nat -> list R -> Out) (terms : list (State -> nat -> seen -> R))
  : head Out := fun h n xs => G h n (map (fun f => sum (f h n) xs) terms).

Theorem of_sums_counted : forall {Out} (G : State -> nat -> list R -> Out) terms,
  promise (class_of counted no_clause) (of_sums G terms).
Proof.
  intros. apply counted_promise. intros h n xs ys H. unfold of_sums. f_equal.
  apply map_ext. intros f. now apply sum_permutation.
Qed.

(* The number of visible keys is such a sum. *)
Lemma length_counted : promise (class_of counted no_clause) (fun (_ : State) (_ : nat) (xs : list seen) => length xs).
Proof. apply counted_promise. intros h n xs ys H. now apply Permutation_length. Qed.

(* ---- ratios of sums: softmax, URPE, linear attention, means ------------------------------------------ *)

Definition term : Type := State -> nat -> seen -> R.

(* o = sum_j num(j) / sum_j den(j), written as weights: the j-th is num(j) / Z. *)
Definition ratio (d : nat) (num : nat -> term) (den : term) : head (list R) :=
  fun h n xs => per_channel d (fun ch => sum (fun x => num ch h n x / sum (den h n) xs) xs).

Lemma ratio_eq : forall (f : seen -> R) Z xs, sum (fun x => f x / Z) xs = sum f xs / Z.
Proof.
  intros. unfold Rdiv. rewrite (sum_ext _ (fun x => / Z * f x)) by (intros; ring).
  rewrite sum_scale. ring.
Qed.

Theorem ratio_normalised : forall d num den,
  (forall h n x, 0 < den h n x) -> promise (class_of normalised no_clause) (ratio d num den).
Proof.
  intros d num den Hpos. apply normalised_promise. split.
  - intros h n xs ys H. apply per_channel_ext. intros ch.
    rewrite !ratio_eq. now rewrite (sum_permutation _ _ _ H), (sum_permutation (den h n) _ _ H).
  - intros h n xs k Hk. apply per_channel_ext. intros ch.
    rewrite !ratio_eq, !sum_times.
    destruct xs as [| x xs]; [ simpl; unfold Rdiv; ring | ].
    assert (0 < sum (den h n) (x :: xs)) by (apply sum_pos; [ discriminate | auto ]).
    assert (0 < INR k) by (now apply lt_0_INR). field. lra.
Qed.

(* Softmax attention with C and with a value term: a_j = e^{s_j} / Z, o = sum_j a_j c_j v_j.  The score
   is any function: q.k / sqrt(d) + B with a bias that depends on the relation, on content, on both. *)
Definition softmax_C (score : State -> nat -> State -> Rel -> R) (c : Rel -> R)
                     (value : State -> Rel -> nat -> R) (d : nat) : head (list R) :=
  ratio d (fun ch h n x => exp (score h n (fst x) (snd x)) * c (snd x) * value (fst x) (snd x) ch)
          (fun h n x => exp (score h n (fst x) (snd x))).

Theorem softmax_C_normalised : forall score c value d,
  promise (class_of normalised no_clause) (softmax_C score c value d).
Proof. intros. apply ratio_normalised. intros. apply exp_pos. Qed.

(* Softmax attention alone: no C, and values that depend on the key's state only. *)
Definition softmax (score : State -> nat -> State -> Rel -> R) (value : State -> nat -> R) (d : nat)
  : head (list R) :=
  softmax_C score (fun _ => 1) (fun u _ ch => value u ch) d.

(* Weights that sum to 1 average equal values to that value. *)
Lemma average_of_equal : forall (w v : seen -> R) a xs,
  sum w xs <> 0 -> (forall x, In x xs -> v x = a) ->
  sum (fun x => w x * 1 * v x / sum w xs) xs = a.
Proof.
  intros w v a xs Hw Hv. rewrite ratio_eq.
  rewrite (sum_ext _ (fun x => a * w x)) by (intros x Hx; rewrite Hv by auto; ring).
  rewrite sum_scale. field. exact Hw.
Qed.

Lemma softmax_of_one : forall score value d h n xs u, shows_only u xs ->
  softmax score value d h n xs = per_channel d (value u).
Proof.
  intros score value d h n xs u Hu.
  apply per_channel_ext. intros ch. destruct Hu as [Hne Hu'].
  apply (average_of_equal (fun x => exp (score h n (fst x) (snd x))) (fun x => value (fst x) ch)).
  - apply Rgt_not_eq, sum_pos; auto. intros. apply exp_pos.
  - intros x Hx. now rewrite (shows_only_in u xs x (conj Hne Hu') Hx).
Qed.

Theorem softmax_stochastic : forall score value d, stochastic (softmax score value d).
Proof. intros. exists (fun _ u => per_channel d (value u)). intros. now apply softmax_of_one. Qed.

Theorem softmax_class : forall score value d,
  promise (class_of normalised one_colour) (softmax score value d).
Proof.
  intros. apply clause_promise; [ apply softmax_C_normalised | apply softmax_stochastic ].
Qed.

(* Where the score is a function of the states plus one of the relation, a view that is a product
   gives the same average as its states alone. *)
Theorem softmax_additive_class : forall (content : State -> State -> R) (bias : Rel -> R) value d,
  promise (class_of normalised products)
          (softmax (fun h _ u r => content h u + bias r) value d).
Proof.
  intros content bias value d h n xs m ys [Ha | (ts & Hts & Hx & Hy)].
  - apply (softmax_C_normalised _ _ _ _ h n xs m ys). now left.
  - assert (Hprod : forall n zs, is_product ts zs ->
      softmax (fun h _ u r => content h u + bias r) value d h n zs
      = per_channel d (fun ch => sum (fun t => exp (content h t) * value t ch) ts
                                 / sum (fun t => exp (content h t)) ts)).
    { clear. intros n zs (rs & Hrs & Hp). apply per_channel_ext. intros ch. rewrite ratio_eq.
      rewrite (sum_permutation _ _ _ Hp). rewrite (sum_permutation (fun x => exp _) _ _ Hp).
      rewrite (sum_ext _ (fun z => (exp (content h (fst z)) * value (fst z) ch) * exp (bias (snd z))))
        by (intros; rewrite exp_plus; ring).
      rewrite (sum_ext (fun x => exp _) (fun z => exp (content h (fst z)) * exp (bias (snd z))))
        by (intros; apply exp_plus).
      rewrite (sum_list_prod (fun t => exp (content h t) * value t ch) (fun r => exp (bias r))).
      rewrite (sum_list_prod (fun t => exp (content h t)) (fun r => exp (bias r))).
      assert (0 < sum (fun r => exp (bias r)) rs) by (apply sum_pos; auto; intros; apply exp_pos).
      destruct ts as [| t ts]; [ simpl; now rewrite !Rmult_0_l | ].
      assert (0 < sum (fun t => exp (content h t)) (t :: ts))
        by (apply sum_pos; [ discriminate | intros; apply exp_pos ]).
      field. lra. }
    now rewrite (Hprod n xs Hx), (Hprod m ys Hy).
Qed.

(* With C, or a value term that the score does not know: values are a function of the thing, the state
   and v of the relation.  A view of one thing gives that thing's value. *)
Theorem softmax_values_class : forall score (v : Rel -> N) (c : N -> R) (value : State -> N -> nat -> R) d,
  promise (class_of normalised (values v))
          (softmax_C score (fun r => c (v r)) (fun u r ch => value u (v r) ch) d).
Proof.
  intros score v c value d h n xs m ys [Ha | (u & Hx & Hy)].
  - apply (softmax_C_normalised _ _ _ _ h n xs m ys). now left.
  - assert (Hone : forall n zs, shows_only u (map (valued v) zs) ->
      softmax_C score (fun r => c (v r)) (fun u r ch => value u (v r) ch) d h n zs
      = per_channel d (fun ch => c (snd u) * value (fst u) (snd u) ch)).
    { clear. intros n zs [Hne Hz]. apply per_channel_ext. intros ch. rewrite ratio_eq.
      assert (Hnil : zs <> []) by (intros ->; now apply Hne).
      assert (0 < sum (fun x => exp (score h n (fst x) (snd x))) zs)
        by (apply sum_pos; auto; intros; apply exp_pos).
      rewrite (sum_ext _ (fun x => (c (snd u) * value (fst u) (snd u) ch) * exp (score h n (fst x) (snd x)))).
      - rewrite sum_scale. field. lra.
      - intros x Hx. rewrite Forall_map, Forall_forall in Hz. specialize (Hz x Hx).
        unfold valued in Hz; simpl in Hz. subst u. simpl. ring. }
    now rewrite (Hone n xs Hx), (Hone m ys Hy).
Qed.

Lemma sum_duel : forall (F : (State * N) * (State * N) * (N * N) -> R) (v : Rel -> N) code (xs ys : list seen),
  sum F (duel v code xs ys) = sum (fun x => sum (fun y => F (beside v code (x, y))) ys) xs.
Proof.
  intros F v code xs ys. unfold duel. induction xs as [| x xs IH]; simpl; auto.
  rewrite map_app, sum_app, IH, map_map, sum_map. reflexivity.
Qed.

(* Where the score is moreover a function of the states plus a bias of the relation, and [code] says
   what the product of two such weights is, views of the same ratios have equal averages:
   sum_x sum_y w(x) w(y) g(x) = sum_x sum_y w(x) w(y) g(y), by the exchange of things. *)
Theorem softmax_ratios_class : forall (content : State -> State -> R) (bias : Rel -> R) (v : Rel -> N)
    (code : Rel -> Rel -> N * N) (weight : N * N -> R) (c : N -> R) (value : State -> N -> nat -> R) d,
  (forall r s, exp (bias r) * exp (bias s) = weight (code r s)) ->
  promise (class_of normalised (ratios v code))
          (softmax_C (fun h _ u r => content h u + bias r) (fun r => c (v r))
                     (fun u r ch => value u (v r) ch) d).
Proof.
  intros content bias v code weight c value d Hw h n xs m ys [Ha | (Hx & Hy & Hp)].
  - apply (softmax_C_normalised _ _ _ _ h n xs m ys). now left.
  - apply per_channel_ext. intros ch. rewrite !ratio_eq.
    set (w := fun x : seen => exp (content h (fst x) + bias (snd x))).
    set (g := fun a : State * N => c (snd a) * value (fst a) (snd a) ch).
    assert (Hpos : forall zs, zs <> [] -> 0 < sum w zs)
      by (intros; apply sum_pos; auto; intros; apply exp_pos).
    assert (Hnum : forall zs : list seen,
      sum (fun x => exp (content h (fst x) + bias (snd x)) * c (v (snd x)) * value (fst x) (v (snd x)) ch) zs
      = sum (fun x => w x * g (thing v x)) zs)
      by (intros; apply sum_ext; intros; unfold w, g, thing; simpl; ring).
    change (sum (fun x : seen => exp (content h (fst x) + bias (snd x)))) with (sum w).
    rewrite !Hnum.
    pose (F := fun z : (State * N) * (State * N) * (N * N) =>
      exp (content h (fst (fst (fst z)))) * exp (content h (fst (snd (fst z)))) * weight (snd z) * g (fst (fst z))).
    assert (Hleft : sum F (duel v code xs ys) = sum (fun x => w x * g (thing v x)) xs * sum w ys).
    { rewrite sum_duel, (Rmult_comm _ (sum w ys)), <- sum_scale. apply sum_ext. intros x _.
      rewrite (sum_ext _ (fun y => (w x * g (thing v x)) * w y)).
      - rewrite sum_scale. ring.
      - intros y _. unfold F, beside, w, thing; simpl. rewrite <- Hw, !exp_plus. ring. }
    assert (Hright : sum F (map exchange (duel v code xs ys)) = sum (fun x => w x * g (thing v x)) ys * sum w xs).
    { rewrite sum_map, sum_duel, <- sum_scale. apply sum_ext. intros x _.
      rewrite (sum_ext _ (fun y => w x * (w y * g (thing v y)))).
      - rewrite sum_scale. ring.
      - intros y _. unfold F, exchange, beside, w, thing; simpl. rewrite <- Hw, !exp_plus. ring. }
    pose proof (sum_permutation F _ _ Hp) as E. rewrite Hleft, Hright in E.
    pose proof (Hpos xs Hx). pose proof (Hpos ys Hy).
    apply (Rmult_eq_reg_r (sum w xs * sum w ys)); [ | now apply Rgt_not_eq, Rmult_lt_0_compat ].
    replace (sum (fun x => w x * g (thing v x)) xs / sum w xs * (sum w xs * sum w ys))
      with (sum (fun x => w x * g (thing v x)) xs * sum w ys) by (field; lra).
    rewrite E. field. lra.
Qed.

(* A bias of its own for each number of a relation; a bias that is a multiple of the relation's number
   (ALiBi: -slope times the distance), whatever the factor. *)
Corollary softmax_free_class : forall content (bias : N -> R) (number v : Rel -> N) c value d,
  promise (class_of normalised (ratios v (free number)))
          (softmax_C (fun h _ u r => content h u + bias (number r)) (fun r => c (v r))
                     (fun u r ch => value u (v r) ch) d).
Proof.
  intros. apply softmax_ratios_class with (weight := fun z => exp (bias (fst z)) * exp (bias (snd z))).
  intros r s. unfold free; simpl. destruct (N.min_spec (number r) (number s)) as [[Hl ->] | [Hl ->]].
  - now rewrite N.max_r by lia.
  - rewrite N.max_l by lia. ring.
Qed.

Corollary softmax_powers_class : forall content (slope : R) (exponent v : Rel -> N) c value d,
  promise (class_of normalised (ratios v (powers exponent)))
          (softmax_C (fun h _ u r => content h u + slope * INR (N.to_nat (exponent r))) (fun r => c (v r))
                     (fun u r ch => value u (v r) ch) d).
Proof.
  intros. apply softmax_ratios_class with (weight := fun z => exp (slope * INR (N.to_nat (fst z)))).
  intros r s. unfold powers; simpl. rewrite N2Nat.inj_add, plus_INR, <- exp_plus. f_equal. ring.
Qed.

(* Linear attention with normaliser: positive feature products phi(q).phi(k).  RoFormer rotates the
   numerator alone, so the two products differ, and the rows need not sum to 1. *)
Definition linear (num den : State -> State -> Rel -> R) (value : State -> nat -> R) (d : nat)
  : head (list R) :=
  ratio d (fun ch h _ x => num h (fst x) (snd x) * 1 * value (fst x) ch) (fun h _ x => den h (fst x) (snd x)).

Theorem linear_class : forall num den value d, (forall h u r, 0 < den h u r) ->
  promise (class_of normalised no_clause) (linear num den value d).
Proof. intros. now apply ratio_normalised. Qed.

Theorem linear_same_class : forall phi value d, (forall h u r, 0 < phi h u r) ->
  promise (class_of normalised one_colour) (linear phi phi value d).
Proof.
  intros phi value d Hpos. apply clause_promise; [ now apply linear_class | ].
  exists (fun _ u => per_channel d (value u)). intros h n xs u Hu.
  apply per_channel_ext. intros ch. destruct Hu as [Hne Hu'].
  apply (average_of_equal (fun x => phi h (fst x) (snd x)) (fun x => value (fst x) ch)).
  - apply Rgt_not_eq, sum_pos; auto.
  - intros x Hx. now rewrite (shows_only_in u xs x (conj Hne Hu') Hx).
Qed.

(* Softpick without the constant that the published code adds to the sum: signed terms x = e^s - 1,
   max(x, 0) over the sum of |x|; a row whose terms are all 0 gives 0. *)
Definition softpick (score : State -> nat -> State -> Rel -> R) (value : State -> Rel -> nat -> R) (d : nat)
  : head (list R) :=
  ratio d (fun ch h n x => Rmax (exp (score h n (fst x) (snd x)) - 1) 0 * value (fst x) (snd x) ch)
          (fun h n x => Rabs (exp (score h n (fst x) (snd x)) - 1)).

Theorem softpick_class : forall score value d, promise (class_of normalised no_clause) (softpick score value d).
Proof.
  intros score value d. apply normalised_promise. split.
  - intros h n xs ys H. apply per_channel_ext. intros ch.
    rewrite !ratio_eq. now rewrite (sum_permutation _ _ _ H), (sum_permutation (fun x => Rabs _) _ _ H).
  - intros h n xs k Hk. apply per_channel_ext. intros ch. rewrite !ratio_eq, !sum_times.
    set (x := fun s : seen => exp (score h n (fst s) (snd s)) - 1).
    change (INR k * sum (fun s => Rmax (x s) 0 * value (fst s) (snd s) ch) xs / (INR k * sum (fun s => Rabs (x s)) xs)
            = sum (fun s => Rmax (x s) 0 * value (fst s) (snd s) ch) xs / sum (fun s => Rabs (x s)) xs).
    assert (HK : 0 < INR k) by now apply lt_0_INR.
    destruct (Req_dec (sum (fun s => Rabs (x s)) xs) 0) as [E | E]; [ | field; lra ].
    rewrite (sum_zero (fun s => Rmax (x s) 0 * _)); [ unfold Rdiv; ring | ].
    intros s Hs. assert (Hx : Rabs (x s) = 0).
    { apply Rle_antisym; [ | apply Rabs_pos ]. rewrite <- E.
      apply (sum_term_le (fun s => Rabs (x s))); [ exact Hs | intros; apply Rabs_pos ]. }
    assert (x s = 0) by (destruct (Req_dec (x s) 0); auto; now apply Rabs_no_R0 in H).
    rewrite H, Rmax_left by lra. ring.
Qed.

(* A mean over the visible keys of any weight times any value: sigmoid / m, ReLU^k / m, with C. *)
Definition mean_over_visible (weight : State -> State -> Rel -> R) (value : State -> Rel -> nat -> R) (d : nat)
  : head (list R) :=
  ratio d (fun ch h _ x => weight h (fst x) (snd x) * value (fst x) (snd x) ch) (fun _ _ _ => 1).

Theorem mean_over_visible_class : forall weight value d,
  promise (class_of normalised no_clause) (mean_over_visible weight value d).
Proof. intros. apply ratio_normalised. intros. lra. Qed.

(* ---- counted: sinks, sigmoids, unnormalised sums ----------------------------------------------------- *)

(* Softmax with a sink: p_j = e^{s_j} / (e^sigma + Z).  sigma = 0 is softmax-one; a sigma that depends
   on the query, with a value of its own, is a learned null key (bias_kv).  C and value terms may be
   there as well. *)
Definition sink (score : State -> nat -> State -> Rel -> R) (sigma : State -> R) (null : nat -> R)
                (value : State -> Rel -> nat -> R) (d : nat) : head (list R) :=
  fun h n xs => per_channel d (fun ch =>
    (sum (fun x => exp (score h n (fst x) (snd x)) * value (fst x) (snd x) ch) xs + exp (sigma h) * null ch)
    / (exp (sigma h) + sum (fun x => exp (score h n (fst x) (snd x))) xs)).

Theorem sink_class : forall score sigma null value d,
  promise (class_of counted no_clause) (sink score sigma null value d).
Proof.
  intros. apply counted_promise. intros h n xs ys H. apply per_channel_ext. intros ch.
  now rewrite (sum_permutation _ _ _ H), (sum_permutation (fun x => exp _) _ _ H).
Qed.

(* A ratio of sums with a constant in the denominator, however small (linear attention as published
   divides by Z + 1e-6, softpick by Z + 1e-8): counted, and not normalised (Paper.v). *)
Definition ratio_plus (epsilon : R) (num den : State -> State -> Rel -> R) (value : State -> Rel -> nat -> R) (d : nat)
  : head (list R) :=
  fun h n xs => per_channel d (fun ch =>
    sum (fun x => num h (fst x) (snd x) * value (fst x) (snd x) ch) xs
    / (sum (fun x => den h (fst x) (snd x)) xs + epsilon)).

Theorem ratio_plus_class : forall epsilon num den value d,
  promise (class_of counted no_clause) (ratio_plus epsilon num den value d).
Proof.
  intros. apply counted_promise. intros h n xs ys H. apply per_channel_ext. intros ch.
  now rewrite (sum_permutation _ _ _ H), (sum_permutation (fun x => den h (fst x) (snd x)) _ _ H).
Qed.

(* A sum of any weights, not divided by anything: sigmoid attention (its bias may be a number or
   -log n, through the row's number), unnormalised linear attention, retention (the relation is the
   offset, for the decay), ReLU attention divided by a constant. *)
Definition weighted_sum (weight : State -> nat -> State -> Rel -> R) (value : State -> Rel -> nat -> R) (d : nat)
  : head (list R) :=
  fun h n xs => per_channel d (fun ch => sum (fun x => weight h n (fst x) (snd x) * value (fst x) (snd x) ch) xs).

Theorem weighted_sum_class : forall weight value d,
  promise (class_of counted no_clause) (weighted_sum weight value d).
Proof.
  intros. apply counted_promise. intros h n xs ys H. apply per_channel_ext. intros ch.
  now apply sum_permutation.
Qed.

Definition sigmoid (x : R) : R := 1 / (1 + exp (- x)).

Corollary sigmoid_class : forall (score : State -> State -> Rel -> R) (b : nat -> R) value d,
  promise (class_of counted no_clause) (weighted_sum (fun h n u r => sigmoid (score h u r + b n)) value d).
Proof. intros. apply weighted_sum_class. Qed.

(* A weight that also depends on the number of visible keys: sigmoid with b = -log m, and so on. *)
Corollary by_length_class : forall (weight : nat -> State -> nat -> State -> Rel -> R) value d,
  promise (class_of counted no_clause) (fun h n xs => weighted_sum (weight (length xs)) value d h n xs).
Proof.
  intros. apply (promise_with _ (fun _ _ xs => length xs) (fun m => weighted_sum (weight m) value d)).
  - apply length_counted.
  - intros. apply weighted_sum_class.
Qed.

(* Any sum divided by the row's number n: ReLU^k / n with the whole sample's n, of which a causal row
   sees a part. *)
Definition over_number (weight : State -> State -> Rel -> R) (value : State -> Rel -> nat -> R) (d : nat)
  : head (list R) :=
  fun h n xs => per_channel d (fun ch =>
    sum (fun x => weight h (fst x) (snd x) * value (fst x) (snd x) ch) xs / INR n).

Theorem over_number_class : forall weight value d,
  promise (class_of per_number no_clause) (over_number weight value d).
Proof.
  intros weight value d h n xs m ys [(a & b & Ha & Hb & Hn & Hp) | []].
  apply per_channel_ext. intros ch. cbv beta.
  set (f := fun x : seen => weight h (fst x) (snd x) * value (fst x) (snd x) ch).
  assert (Hs : INR a * sum f xs = INR b * sum f ys)
    by (rewrite <- !sum_times; now apply sum_permutation).
  assert (HN : INR a * INR n = INR b * INR m) by (rewrite <- !mult_INR; now f_equal).
  apply lt_0_INR in Ha. apply lt_0_INR in Hb.
  destruct (Req_dec (INR n) 0) as [En | En]; destruct (Req_dec (INR m) 0) as [Em | Em].
  - rewrite En, Em. unfold Rdiv. now rewrite Rinv_0, !Rmult_0_r. (* no sample is empty *)
  - exfalso. apply Em. rewrite En in HN. apply (Rmult_eq_reg_l (INR b)); lra.
  - exfalso. apply En. rewrite Em in HN. apply (Rmult_eq_reg_l (INR a)); lra.
  - apply (Rmult_eq_reg_l (INR a * INR n)).
    + replace (INR a * INR n * (sum f xs / INR n)) with (INR a * sum f xs) by (field; auto).
      rewrite HN, Hs. field; auto.
    + apply Rmult_integral_contrapositive. split; lra.
Qed.

(* ---- rows that sum to 1 and yet see absolute counts ---------------------------------------------------- *)

(* SSMax: softmax whose temperature is a function of the number of visible keys. *)
Definition ssmax (temperature : nat -> R) (score : State -> State -> Rel -> R) (value : State -> nat -> R) (d : nat)
  : head (list R) :=
  fun h n xs => softmax (fun h' _ u r => temperature (length xs) * score h' u r) value d h n xs.

Theorem ssmax_class : forall temperature score value d,
  promise (class_of counted one_colour) (ssmax temperature score value d).
Proof.
  intros. apply clause_promise.
  - apply (promise_with _ (fun _ _ xs => length xs)
             (fun m => softmax (fun h' _ u r => temperature m * score h' u r) value d)).
    + apply length_counted.
    + intros. apply promise_counted, softmax_C_normalised.
  - exists (fun _ u => per_channel d (value u)). intros. now apply softmax_of_one.
Qed.

(* Entmax and sparsemax: p_j = phi(s_j - tau) with the threshold tau for which the row sums to 1;
   phi(x) = x^(1 / (alpha - 1)) for x > 0, else 0 (and (alpha - 1) s for s). *)
Record ramp (phi : R -> R) : Prop := {
  ramp_zero : forall x, x <= 0 -> phi x = 0;
  ramp_grows : forall x y, 0 < x -> x < y -> phi x < phi y;
  ramp_pos : forall x, 0 < x -> 0 < phi x }.

Definition sums_to_one (phi : R -> R) (scores : list R) (tau : R) : Prop :=
  sum (fun s => phi (s - tau)) scores = 1.

Lemma ramp_mono : forall phi, ramp phi -> forall x y, x <= y -> phi x <= phi y.
Proof.
  intros phi Hphi x y Hxy. destruct (Rle_lt_dec x 0) as [Hx | Hx].
  - rewrite (ramp_zero phi Hphi x Hx). destruct (Rle_lt_dec y 0) as [Hy | Hy].
    + rewrite (ramp_zero phi Hphi y Hy). lra.
    + apply Rlt_le, (ramp_pos phi Hphi y Hy).
  - destruct Hxy as [Hlt | ->]; [ apply Rlt_le, (ramp_grows phi Hphi); auto | lra ].
Qed.

(* The threshold is unique, so it depends on the multiset of scores alone. *)
Lemma smaller_threshold : forall phi scores tau tau', ramp phi -> tau < tau' ->
  0 < sum (fun s => phi (s - tau')) scores ->
  sum (fun s => phi (s - tau')) scores < sum (fun s => phi (s - tau)) scores.
Proof.
  intros phi scores tau tau' Hphi Hlt. induction scores as [| s rest IH]; simpl; intros Hpos; [ lra | ].
  assert (Hs : phi (s - tau') <= phi (s - tau)) by (apply ramp_mono; auto; lra).
  assert (Hr : sum (fun s => phi (s - tau')) rest <= sum (fun s => phi (s - tau)) rest)
    by (apply sum_le; intros; apply ramp_mono; auto; lra).
  destruct (Rle_lt_dec (s - tau') 0) as [Hx | Hx].
  - rewrite (ramp_zero phi Hphi _ Hx) in *. assert (0 < sum (fun s => phi (s - tau')) rest) by lra.
    specialize (IH H). lra.
  - assert (phi (s - tau') < phi (s - tau)) by (apply (ramp_grows phi Hphi); lra). lra.
Qed.

Lemma threshold_unique : forall phi scores tau tau', ramp phi ->
  sums_to_one phi scores tau -> sums_to_one phi scores tau' -> tau = tau'.
Proof.
  intros phi scores tau tau' Hphi H H'. unfold sums_to_one in *.
  destruct (Rtotal_order tau tau') as [Hlt | [Heq | Hgt]]; auto; exfalso.
  - assert (E := smaller_threshold phi scores tau tau' Hphi Hlt). lra.
  - assert (E := smaller_threshold phi scores tau' tau Hphi Hgt). lra.
Qed.

Definition scored (score : State -> nat -> State -> Rel -> R) (h : State) (n : nat) (x : seen) : R :=
  score h n (fst x) (snd x).

Definition entmax (phi : R -> R) (threshold : list R -> R) (score : State -> nat -> State -> Rel -> R)
                  (value : State -> nat -> R) (d : nat) : head (list R) :=
  fun h n xs =>
    let s := scored score h n in
    let tau := threshold (map s xs) in
    per_channel d (fun ch => sum (fun x => phi (s x - tau) * value (fst x) ch) xs).

Theorem entmax_class : forall phi threshold score value d, ramp phi ->
  (forall scores, scores <> [] -> sums_to_one phi scores (threshold scores)) ->
  promise (class_of counted one_colour) (entmax phi threshold score value d).
Proof.
  intros phi threshold score value d Hphi Hsum. apply clause_promise.
  - apply counted_promise. intros h n xs ys H. unfold entmax; cbv zeta. set (s := scored score h n).
    assert (Htau : xs = [] \/ threshold (map s xs) = threshold (map s ys)).
    { destruct xs as [| x xs]; [ now left | right ].
      assert (Hm : Permutation (map s (x :: xs)) (map s ys)) by now apply Permutation_map.
      apply (threshold_unique phi (map s ys)); auto.
      - unfold sums_to_one. rewrite <- (sum_permutation _ _ _ Hm). apply Hsum. discriminate.
      - apply Hsum. intros E. rewrite E in Hm. now apply Permutation_sym, Permutation_nil in Hm. }
    apply per_channel_ext. intros ch. destruct Htau as [-> | ->].
    + apply Permutation_nil in H. now subst ys.
    + now apply sum_permutation.
  - exists (fun _ u => per_channel d (value u)). intros h n xs u Hu. unfold entmax; cbv zeta.
    set (s := scored score h n). apply per_channel_ext. intros ch.
    assert (Hone := Hsum (map s xs) (map_not_nil _ _ (proj1 Hu))). unfold sums_to_one in Hone.
    rewrite sum_map in Hone. set (tau := threshold (map s xs)) in *.
    rewrite (sum_ext _ (fun x => value u ch * phi (s x - tau)))
      by (intros x Hx; rewrite (shows_only_in u xs x Hu Hx); ring).
    rewrite sum_scale, Hone. ring.
Qed.

(* The ramps of entmax, alpha > 1; alpha = 2 is sparsemax. *)
Definition entmax_ramp (alpha x : R) : R := if Rle_dec x 0 then 0 else Rpower x (1 / (alpha - 1)).

Lemma entmax_ramp_is_ramp : forall alpha, 1 < alpha -> ramp (entmax_ramp alpha).
Proof.
  intros alpha Ha. assert (0 < 1 / (alpha - 1)) by (apply Rdiv_lt_0_compat; lra).
  split; unfold entmax_ramp; intros.
  - destruct (Rle_dec x 0); lra.
  - destruct (Rle_dec x 0), (Rle_dec y 0); try lra. apply Rlt_Rpower_l; lra.
  - destruct (Rle_dec x 0); try lra. apply exp_pos.
Qed.

(* ---- elastic softmax: max(a_j + tau / m, 0) ------------------------------------------------------------ *)

Definition elastic (tau : R) (score : State -> nat -> State -> Rel -> R) (value : State -> Rel -> nat -> R) (d : nat)
  : head (list R) :=
  fun h n xs =>
    let e := fun x => exp (scored score h n x) in
    per_channel d (fun ch =>
      sum (fun x => Rmax (e x / sum e xs + tau / INR (length xs)) 0 * value (fst x) (snd x) ch) xs).

Theorem elastic_class : forall tau score value d,
  promise (class_of normalised no_clause) (elastic tau score value d).
Proof.
  intros tau score value d. apply normalised_promise. split.
  - intros h n xs ys H. unfold elastic; cbv zeta. apply per_channel_ext. intros ch.
    rewrite (sum_permutation (fun x => exp (scored score h n x)) _ _ H), (Permutation_length H).
    now apply sum_permutation.
  - intros h n xs k Hk. unfold elastic; cbv zeta. apply per_channel_ext. intros ch.
    set (e := fun x => exp (scored score h n x)).
    rewrite !sum_times, times_length, mult_INR.
    destruct xs as [| x xs]; [ simpl; ring | ]. set (zs := x :: xs).
    assert (HZ : 0 < sum e zs) by (apply sum_pos; [ discriminate | intros; apply exp_pos ]).
    assert (Hm : 0 < INR (length zs)) by (apply lt_0_INR; simpl; lia).
    assert (HK : 0 < INR k) by now apply lt_0_INR.
    rewrite <- (sum_scale (INR k)). apply sum_ext. intros y _. change (exp (scored score h n y)) with (e y).
    replace (e y / (INR k * sum e zs) + tau / (INR k * INR (length zs)))
      with (/ INR k * (e y / sum e zs + tau / INR (length zs))) by (field; lra).
    replace (Rmax (/ INR k * (e y / sum e zs + tau / INR (length zs))) 0)
      with (/ INR k * Rmax (e y / sum e zs + tau / INR (length zs)) 0).
    + field. lra.
    + rewrite <- (Rmult_0_r (/ INR k)) at 2. symmetry. rewrite RmaxRmult; auto.
      apply Rlt_le, Rinv_0_lt_compat, HK.
Qed.

End Heads.
