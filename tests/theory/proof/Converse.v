(* The converse: pairs that refinement tells apart, some network of the class tells apart.

   Theorem ([rounds_exact]).  Let k rounds of a plan keep two pairs apart only where the class of the
   round sees them differently.  If the heads of each step are *complete* for its class (views that
   the class does not identify are told apart by some head), then one network of k layers, each with
   finitely many heads, gives different states to any two pairs that the rounds keep apart.  So
   ([floor_is_minimum]) the floor at depth k is not only a bound: a network of k layers attains it.

   Complete are, for every own state:
     softmax with a bias over relations, if the offset 0 is a relation that no other key shares, for
       normalised + one colour ([toeplitz_complete]; content products are not needed, W_Q = 0 does);
     softmax without encoding, for normalised + one colour ([uniform_complete]);
     softmax times C over relations, for normalised ([urpe_complete]);
     softmax with a sink and a bias over relations, for counted ([sink_complete]).

   What is assumed of the rest: token-wise functions (embedding, values, feed-forward networks) may be
   any functions of the state.  On finitely many states a feed-forward network of enough width is any
   function; that is not proved here. *)

Require Import List Arith Lia Permutation Reals Lra.
Require Import Urpe.Views Urpe.Networks Urpe.Sums Urpe.Heads Urpe.Floors.
Import ListNotations.
Open Scope R_scope.

(* States that remember everything: the token, then what the heads of each layer gave. *)
Inductive state : Type :=
| token_state (t : nat)
| after (own : state) (outputs : list (list R)).

Definition state_dec : forall s t : state, {s = t} + {s <> t}.
Proof. decide equality; [ apply Nat.eq_dec | apply list_eq_dec, list_eq_dec, Req_EM_T ]. Qed.

(* ---- complete families of heads ------------------------------------------------------------------------- *)

Section Complete.

Context {Rel : Type}.
Variable rel_dec : forall r s : Rel, {r = s} + {r <> s}.
Local Notation seen := (state * Rel)%type.
Local Notation family := (@head state Rel (list R) -> Prop).

Definition seen_dec (x y : seen) : {x = y} + {x <> y}.
Proof. decide equality; apply state_dec. Qed.

(* [admits h xs]: views that can occur beside the own state h. *)
Definition complete (admits : state -> list seen -> Prop) (family : family) (c : class) : Prop :=
  forall h n xs ys, admits h xs -> admits h ys -> ~ same_view c n xs n ys ->
  exists hd, family hd /\ hd h n xs <> hd h n ys.

Definition is (s : state) (x : seen) : R := if state_dec (fst x) s then 1 else 0.
(* With a bias b over relations: the weight of state s in a view, and the whole weight. *)
Definition mass (b : Rel -> R) (s : state) (xs : list seen) : R := sum (fun x => exp (b (snd x)) * is s x) xs.
Definition total (b : Rel -> R) (xs : list seen) : R := sum (fun x => exp (b (snd x))) xs.

Lemma total_nonneg : forall b xs, 0 <= total b xs.
Proof. intros. apply sum_nonneg. intros. apply Rlt_le, exp_pos. Qed.

Lemma mass_nonneg : forall b s xs, 0 <= mass b s xs.
Proof.
  intros b s xs. apply sum_nonneg. intros x _. unfold is. assert (H := exp_pos (b (snd x))).
  destruct (state_dec _ _); lra.
Qed.

(* Numbers of occurrences as sums. *)
Lemma count_is_sum : forall x xs,
  INR (count_occ seen_dec xs x) = sum (fun y => if seen_dec y x then 1 else 0) xs.
Proof.
  induction xs as [| y xs IH]; [ reflexivity | ]. simpl. destruct (seen_dec y x); rewrite <- IH; [ | lra ].
  rewrite S_INR. lra.
Qed.

(* No bias, and a bias of 1 on one relation: between them, the weight of what is seen under it grows by
   e - 1 for each occurrence. *)
Definition flat : Rel -> R := fun _ => 0.
Definition raised (r : Rel) : Rel -> R := fun q => if rel_dec q r then 1 else 0.
Definition growth : R := exp 1 - 1.

(* e > 1 from the first two terms of its series (the library's other proofs use excluded middle). *)
Lemma growth_pos : 0 < growth.
Proof.
  unfold growth, exp. destruct (exist_exp 1) as [e He]. cbn [proj1_sig].
  assert (H : sum_f_R0 (fun i => / INR (fact i) * 1 ^ i) 1 <= e).
  { apply sum_incr; [ exact He | ]. intros n. rewrite pow1, Rmult_1_r.
    apply Rlt_le, Rinv_0_lt_compat, INR_fact_lt_0. }
  simpl in H. lra.
Qed.

Lemma mass_raised : forall s r xs,
  mass (raised r) s xs = mass flat s xs + growth * INR (count_occ seen_dec xs (s, r)).
Proof.
  intros s r xs. rewrite count_is_sum. unfold mass. rewrite <- sum_scale, <- sum_plus. apply sum_ext.
  intros [t q] _. unfold raised, flat, is, growth; simpl.
  destruct (state_dec t s), (rel_dec q r), (seen_dec (t, q) (s, r)); rewrite ?exp_0; try lra; congruence.
Qed.

(* Equal weights without bias and with each relation raised: equal counts. *)
Lemma masses_count : forall s r xs ys,
  mass flat s xs = mass flat s ys -> mass (raised r) s xs = mass (raised r) s ys ->
  count_occ seen_dec xs (s, r) = count_occ seen_dec ys (s, r).
Proof.
  intros s r xs ys E1 E2. rewrite !mass_raised, E1 in E2. apply INR_eq.
  apply (Rmult_eq_reg_l growth); [ lra | apply Rgt_not_eq, growth_pos ].
Qed.

Lemma counts_decide : forall xs ys,
  (forall s r, In (s, r) (xs ++ ys) -> count_occ seen_dec xs (s, r) = count_occ seen_dec ys (s, r)) ->
  Permutation xs ys.
Proof.
  intros xs ys H. apply (Permutation_count_occ seen_dec). intros [s r].
  destruct (in_dec seen_dec (s, r) (xs ++ ys)) as [Hin | Hout]; auto.
  rewrite in_app_iff in Hout. rewrite !(proj1 (count_occ_not_In seen_dec _ _)) by tauto. auto.
Qed.

(* A finite search: some candidate tells the views apart, or none does. *)
Lemma some_or_none : forall {A} (f g : A -> R) (candidates : list A),
  (exists a, In a candidates /\ f a <> g a) \/ (forall a, In a candidates -> f a = g a).
Proof.
  intros A f g. induction candidates as [| a rest IH]; [ right; contradiction | ].
  destruct (Req_EM_T (f a) (g a)) as [E | E].
  - destruct IH as [(b & Hin & Hb) | H]; [ left; exists b; simpl; auto | right ].
    intros b [<- | Hin]; auto.
  - left. exists a. simpl. auto.
Qed.

(* ---- softmax times C ------------------------------------------------------------------------------------ *)

(* W_Q = 0 and B = 0: uniform weights, times C. *)
Definition urpe_family : family :=
  fun hd => exists (c : Rel -> R) (v : state -> R), hd = softmax_C (fun _ _ _ _ => 0) c (fun u _ _ => v u) 1.

Definition not_empty (_ : state) (xs : list seen) : Prop := xs <> [].

Lemma urpe_output : forall (c : Rel -> R) (v : state -> R) h n xs,
  softmax_C (fun _ _ _ _ => 0) c (fun u _ _ => v u) 1 h n xs
  = [sum (fun x => c (snd x) * v (fst x)) xs / INR (length xs)].
Proof.
  intros. unfold softmax_C, ratio, per_channel. cbn [map seq]. f_equal. rewrite exp_0, ratio_eq. f_equal.
  - apply sum_ext. intros. ring.
  - rewrite sum_const. ring.
Qed.

Lemma one_channel : forall a b : R, a <> b -> [a] <> [b].
Proof. congruence. Qed.

Lemma shares_decide : forall xs ys, xs <> [] -> ys <> [] ->
  (forall x, In x (xs ++ ys) -> INR (count_occ seen_dec xs x) / INR (length xs)
                                = INR (count_occ seen_dec ys x) / INR (length ys)) ->
  forall n, alike normalised n xs n ys.
Proof.
  intros xs ys Hx Hy H n. split; auto. exists (length ys), (length xs).
  assert (Lx : (0 < length xs)%nat) by (destruct xs; [ congruence | simpl; lia ]).
  assert (Ly : (0 < length ys)%nat) by (destruct ys; [ congruence | simpl; lia ]).
  repeat split; auto. apply (multiples_by_count seen_dec). intros x.
  destruct (in_dec seen_dec x (xs ++ ys)) as [Hin | Hout].
  - specialize (H x Hin). apply lt_0_INR in Lx, Ly. apply INR_eq. rewrite !mult_INR.
    apply (Rmult_eq_compat_r (INR (length xs) * INR (length ys))) in H.
    replace (INR (count_occ seen_dec xs x) / INR (length xs) * (INR (length xs) * INR (length ys)))
      with (INR (length ys) * INR (count_occ seen_dec xs x)) in H by (field; lra).
    rewrite H. field. lra.
  - rewrite in_app_iff in Hout. rewrite !(proj1 (count_occ_not_In seen_dec _ _)) by tauto. lia.
Qed.

Theorem urpe_complete : complete not_empty urpe_family (class_of normalised no_clause).
Proof.
  intros h n xs ys Hx Hy Hnot.
  set (share := fun zs x => INR (count_occ seen_dec zs x) / INR (length zs)).
  destruct (some_or_none (share xs) (share ys) (xs ++ ys)) as [([s r] & _ & Hd) | Hall].
  - set (c := fun q => if rel_dec q r then 1 else 0). set (v := fun u => if state_dec u s then 1 else 0).
    exists (softmax_C (fun _ _ _ _ => 0) c (fun u _ _ => v u) 1). split; [ now exists c, v | ].
    rewrite !urpe_output. apply one_channel.
    assert (E : forall zs, sum (fun x => c (snd x) * v (fst x)) zs / INR (length zs) = share zs (s, r)).
    { intros zs. unfold share. f_equal. rewrite count_is_sum. apply sum_ext. intros [t q] _. unfold c, v; simpl.
      destruct (rel_dec q r), (state_dec t s), (seen_dec (t, q) (s, r)); try lra; congruence. }
    now rewrite !E.
  - exfalso. apply Hnot. left. now apply shares_decide.
Qed.

(* ---- softmax without encoding ----------------------------------------------------------------------------- *)

Definition uniform_family : family :=
  fun hd => exists v : state -> R, hd = softmax (fun _ _ _ _ => 0) (fun u _ => v u) 1.

Definition one_relation (r0 : Rel) (_ : state) (xs : list seen) : Prop :=
  xs <> [] /\ Forall (fun x => snd x = r0) xs.

Theorem uniform_complete : forall r0,
  complete (one_relation r0) uniform_family (class_of normalised one_colour).
Proof.
  intros r0 h n xs ys [Hx Rx] [Hy Ry] Hnot.
  set (share := fun zs x => INR (count_occ seen_dec zs x) / INR (length zs)).
  destruct (some_or_none (share xs) (share ys) (xs ++ ys)) as [([s r] & Hin & Hd) | Hall].
  - set (v := fun u => if state_dec u s then 1 else 0).
    exists (softmax (fun _ _ _ _ => 0) (fun u _ => v u) 1). split; [ now exists v | ].
    unfold softmax. rewrite !urpe_output. apply one_channel.
    assert (Hr : r = r0).
    { rewrite Forall_forall in Rx, Ry. apply in_app_iff in Hin. destruct Hin as [Hin | Hin].
      - exact (Rx _ Hin).
      - exact (Ry _ Hin). }
    assert (E : forall zs, Forall (fun x => snd x = r0) zs ->
                sum (fun x => 1 * v (fst x)) zs / INR (length zs) = share zs (s, r)).
    { intros zs Hz. unfold share. f_equal. rewrite count_is_sum. apply sum_ext. intros [t q] Hq. unfold v; simpl.
      rewrite Forall_forall in Hz. specialize (Hz _ Hq). simpl in Hz.
      destruct (state_dec t s), (seen_dec (t, q) (s, r)); try lra; congruence. }
    now rewrite !E.
  - exfalso. apply Hnot. left. now apply shares_decide.
Qed.

(* ---- a sink ------------------------------------------------------------------------------------------------- *)

(* W_Q = 0, a bias over relations, a sink logit 0. *)
Definition sink_family : family :=
  fun hd => exists (bias : Rel -> R) (v : state -> R),
    hd = sink (fun _ _ _ r => bias r) (fun _ => 0) (fun _ => 0) (fun u _ _ => v u) 1.

Definition any_view (_ : state) (_ : list seen) : Prop := True.

Lemma sink_output : forall (b : Rel -> R) (v : state -> R) h n xs,
  sink (fun _ _ _ r => b r) (fun _ => 0) (fun _ => 0) (fun u _ _ => v u) 1 h n xs
  = [sum (fun x => exp (b (snd x)) * v (fst x)) xs / (1 + total b xs)].
Proof.
  intros b v h n xs. unfold sink, per_channel. cbn [map seq]. now rewrite exp_0, Rmult_0_r, Rplus_0_r.
Qed.

Theorem sink_complete : complete any_view sink_family (class_of counted no_clause).
Proof.
  intros h n xs ys _ _ Hnot.
  (* candidates: no bias, and each relation raised; all values 1, and 1 for one state *)
  set (biases := flat :: map (fun x => raised (snd x)) (xs ++ ys)).
  set (values := (fun _ => 1) :: map (fun x u => if state_dec u (fst x) then 1 else 0) (xs ++ ys)).
  set (out := fun zs (bv : (Rel -> R) * (state -> R)) =>
         sum (fun x => exp (fst bv (snd x)) * snd bv (fst x)) zs / (1 + total (fst bv) zs)).
  destruct (some_or_none (out xs) (out ys) (list_prod biases values)) as [([b v] & _ & Hd) | Hall].
  - exists (sink (fun _ _ _ r => b r) (fun _ => 0) (fun _ => 0) (fun u _ _ => v u) 1).
    split; [ now exists b, v | ]. rewrite !sink_output. now apply one_channel.
  - exfalso. apply Hnot. left. split; auto. apply counts_decide. intros s r Hin.
    assert (Htotal : forall b, In b biases -> total b xs = total b ys).
    { intros b Hb. assert (E := Hall (b, fun _ => 1)). unfold out in E. cbn [fst snd] in E.
      assert (Hprod : In (b, fun _ : state => 1) (list_prod biases values)) by (apply in_prod; [ auto | now left ]).
      specialize (E Hprod).
      assert (F : forall zs, sum (fun x => exp (b (snd x)) * 1) zs = total b zs)
        by (intros; apply sum_ext; intros; ring).
      rewrite !F in E. assert (Gx := total_nonneg b xs). assert (Gy := total_nonneg b ys).
      apply (Rmult_eq_compat_r ((1 + total b xs) * (1 + total b ys))) in E. field_simplify in E; lra. }
    assert (Hmass : forall b, In b biases -> mass b s xs = mass b s ys).
    { intros b Hb. set (v := fun u => if state_dec u s then 1 else 0).
      assert (Hprod : In (b, v) (list_prod biases values)).
      { apply in_prod; auto. right. apply in_map_iff. now exists (s, r). }
      assert (E := Hall (b, v) Hprod). unfold out in E. cbn [fst snd] in E. rewrite (Htotal b Hb) in E.
      assert (G := total_nonneg b ys).
      apply (Rmult_eq_compat_r (1 + total b ys)) in E. unfold Rdiv in E.
      rewrite !Rmult_assoc, Rinv_l, !Rmult_1_r in E by lra. exact E. }
    apply masses_count; apply Hmass; [ now left | right; apply in_map_iff; now exists (s, r) ].
Qed.

(* ---- softmax with a bias over relations ------------------------------------------------------------------------ *)

(* W_Q = 0: the bias alone, as in a Toeplitz table. *)
Definition bias_family : family :=
  fun hd => exists (bias : Rel -> R) (v : state -> R), hd = softmax (fun _ _ _ r => bias r) (fun u _ => v u) 1.

(* The row sees itself under the relation r0 (the offset 0), and nothing else under it. *)
Definition own_offset (r0 : Rel) (h : state) (xs : list seen) : Prop :=
  exists us, Permutation xs ((h, r0) :: us) /\ Forall (fun x => snd x <> r0) us.

Lemma bias_output : forall (b : Rel -> R) (v : state -> R) h n xs,
  softmax (fun _ _ _ r => b r) (fun u _ => v u) 1 h n xs
  = [sum (fun x => exp (b (snd x)) * v (fst x)) xs / total b xs].
Proof.
  intros b v h n xs. unfold softmax, softmax_C, ratio, per_channel. cbn [map seq]. f_equal.
  rewrite ratio_eq. unfold total. f_equal. apply sum_ext. intros. ring.
Qed.

(* Bias a for the offset 0, b for the others. *)
Definition at_own (r0 : Rel) (a : R) (b : Rel -> R) (r : Rel) : R := if rel_dec r r0 then a else b r.

Lemma mass_own : forall r0 a b s h us, Forall (fun x => snd x <> r0) us ->
  mass (at_own r0 a b) s ((h, r0) :: us) = (if state_dec h s then exp a else 0) + mass b s us.
Proof.
  intros r0 a b s h us Hus. unfold mass at 1. simpl. f_equal.
  - unfold at_own, is; simpl. destruct (rel_dec r0 r0); [ | congruence ]. destruct (state_dec h s); ring.
  - apply sum_ext. intros x Hx. rewrite Forall_forall in Hus. specialize (Hus x Hx).
    unfold at_own. destruct (rel_dec (snd x) r0); [ congruence | reflexivity ].
Qed.

Lemma total_own : forall r0 a b h us, Forall (fun x => snd x <> r0) us ->
  total (at_own r0 a b) ((h, r0) :: us) = exp a + total b us.
Proof.
  intros r0 a b h us Hus. unfold total at 1. simpl. f_equal.
  - unfold at_own. destruct (rel_dec r0 r0); congruence.
  - apply sum_ext. intros x Hx. rewrite Forall_forall in Hus. specialize (Hus x Hx).
    unfold at_own. destruct (rel_dec (snd x) r0); [ congruence | reflexivity ].
Qed.

Lemma cross_multiply : forall a b c d, 0 < b -> 0 < d -> a / b = c / d -> a * d = c * b.
Proof.
  intros a b c d Hb Hd E. apply (Rmult_eq_compat_r (b * d)) in E. field_simplify in E; lra.
Qed.

(* Shares that are equal for two weights w of the own key: linear functions of w that agree twice. *)
Lemma linear_shares : forall X Y T U, 0 <= T -> 0 <= U ->
  X / (exp 0 + T) = Y / (exp 0 + U) -> X / (exp 1 + T) = Y / (exp 1 + U) -> X = Y /\ X * (U - T) = 0.
Proof.
  intros X Y T U HT HU E1 E2. assert (G := growth_pos). unfold growth in G. rewrite exp_0 in E1.
  apply cross_multiply in E1; [ | lra | lra ]. apply cross_multiply in E2; [ | lra | lra ].
  assert (E : (exp 1 - 1) * (X - Y) = 0) by lra. apply Rmult_integral in E. destruct E as [E | E]; [ lra | ].
  assert (Y = X) by lra. subst Y. split; lra.
Qed.

Lemma own_shares : forall X Y T U, 0 <= T -> 0 <= U ->
  (exp 0 + X) / (exp 0 + T) = (exp 0 + Y) / (exp 0 + U) ->
  (exp 1 + X) / (exp 1 + T) = (exp 1 + Y) / (exp 1 + U) -> X + U = Y + T.
Proof.
  intros X Y T U HT HU E1 E2. assert (G := growth_pos). unfold growth in G. rewrite exp_0 in E1.
  apply cross_multiply in E1; [ | lra | lra ]. apply cross_multiply in E2; [ | lra | lra ].
  assert (E : (exp 1 - 1) * (X + U - (Y + T)) = 0) by lra. apply Rmult_integral in E. destruct E; lra.
Qed.

Lemma mass_in : forall b s xs, In s (map fst xs) -> 0 < mass b s xs.
Proof.
  intros b s xs. induction xs as [| x xs IH]; intros Hin; [ contradiction | ].
  assert (Hx := exp_pos (b (snd x))). assert (Hrest := mass_nonneg b s xs).
  unfold mass in *. simpl. unfold is at 1. destruct (state_dec (fst x) s) as [E | E]; [ lra | ].
  destruct Hin as [Hin | Hin]; [ congruence | ]. specialize (IH Hin). lra.
Qed.

Theorem toeplitz_complete : forall r0,
  complete (own_offset r0) bias_family (class_of normalised one_colour).
Proof.
  intros r0 h n xs ys (us & Hxs & Hus) (vs & Hys & Hvs) Hnot.
  set (biases := flat :: map (fun x => raised (snd x)) (us ++ vs)).
  set (things := h :: map fst (us ++ vs)).
  set (bias := fun z : R * (Rel -> R) * state => at_own r0 (fst (fst z)) (snd (fst z))).
  set (value := fun z : R * (Rel -> R) * state => fun u => if state_dec u (snd z) then 1 else 0).
  set (out := fun zs z => mass (bias z) (snd z) zs / total (bias z) zs).
  destruct (some_or_none (out xs) (out ys) (list_prod (list_prod [0; 1] biases) things)) as [(z & _ & Hd) | Hall].
  - exists (softmax (fun _ _ _ r => bias z r) (fun u _ => value z u) 1). split.
    + now exists (bias z), (value z).
    + rewrite !bias_output. apply one_channel. exact Hd.
  - exfalso. apply Hnot.
    (* what equal shares say about the others, for every bias *)
    assert (Hshare : forall a b s, In a [0; 1] -> In b biases -> In s things ->
      ((if state_dec h s then exp a else 0) + mass b s us) / (exp a + total b us)
      = ((if state_dec h s then exp a else 0) + mass b s vs) / (exp a + total b vs)).
    { intros a b s Ha Hb Hs. assert (E := Hall (a, b, s)). unfold out, bias in E. cbn [fst snd] in E.
      unfold mass, total in E. rewrite !(sum_permutation _ _ _ Hxs), !(sum_permutation _ _ _ Hys) in E.
      fold (mass (at_own r0 a b) s ((h, r0) :: us)) (mass (at_own r0 a b) s ((h, r0) :: vs))
           (total (at_own r0 a b) ((h, r0) :: us)) (total (at_own r0 a b) ((h, r0) :: vs)) in E.
      rewrite !mass_own, !total_own in E by auto. apply E. now repeat apply in_prod. }
    assert (H0 : In 0 [0; 1]) by (simpl; auto). assert (H1 : In 1 [0; 1]) by (simpl; auto).
    assert (Hother : forall b s, In b biases -> In s things -> s <> h ->
      mass b s us = mass b s vs /\ mass b s us * (total b vs - total b us) = 0).
    { intros b s Hb Hs Hne. assert (E1 := Hshare 0 b s H0 Hb Hs). assert (E2 := Hshare 1 b s H1 Hb Hs).
      destruct (state_dec h s); [ congruence | ]. rewrite !Rplus_0_l in E1, E2.
      apply linear_shares; auto using total_nonneg. }
    destruct (Forall_Exists_dec (fun x => fst x = h) (fun x => state_dec (fst x) h) (us ++ vs)) as [Hone | Hsome].
    + (* nothing but the own state is seen *)
      right. exists h. apply Forall_app in Hone. destruct Hone as [Ou Ov].
      assert (Hshow : forall zs ws, Permutation zs ((h, r0) :: ws) ->
                Forall (fun x => fst x = h) ws -> shows_only h zs).
      { intros zs ws Hp Hw. split.
        - intros ->. now apply Permutation_nil in Hp.
        - apply (Permutation_Forall (Permutation_sym Hp)). now constructor. }
      split; [ now apply Hshow with us | now apply Hshow with vs ].
    + (* another state x is seen: its equal shares give equal totals, and these equal weights *)
      left. apply Exists_exists in Hsome. destruct Hsome as (x & Hx & Hxh).
      assert (Hsx : In (fst x) things) by (right; now apply in_map).
      assert (Htotal : forall b, In b biases -> total b us = total b vs).
      { intros b Hb. destruct (Hother b (fst x) Hb Hsx Hxh) as [Em Ez].
        assert (Hpos : 0 < mass b (fst x) us).
        { apply in_app_iff in Hx. destruct Hx as [Hx | Hx]; [ | rewrite Em ]; apply mass_in; now apply in_map. }
        apply Rmult_integral in Ez. destruct Ez; lra. }
      assert (Hmass : forall b s, In b biases -> In s things -> mass b s us = mass b s vs).
      { intros b s Hb Hs. destruct (state_dec s h) as [-> | Hne]; [ | now apply Hother ].
        assert (E1 := Hshare 0 b h H0 Hb Hs). assert (E2 := Hshare 1 b h H1 Hb Hs).
        destruct (state_dec h h); [ | congruence ].
        apply own_shares in E1; auto using total_nonneg. rewrite (Htotal b Hb) in E1. lra. }
      apply counted_normalised. split; auto. rewrite Hxs, Hys. constructor. apply counts_decide.
      intros s r Hin. assert (Hs : In s things) by (right; apply in_map_iff; now exists (s, r)).
      apply masses_count; apply Hmass; auto; [ now left | right; apply in_map_iff; now exists (s, r) ].
Qed.

End Complete.

(* ---- rounds of refinement, and a network of as many layers ---------------------------------------------------- *)

Section Exact.

Context {Pair Rel : Type}.
Variable pair_dec : forall p q : Pair, {p = q} + {p <> q}.
Variable pairs : list Pair. (* finitely many, with all that they see *)

Local Notation family := (@head state Rel (list R) -> Prop).

(* A step whose class is exact: some complete family of heads keeps its promise. *)
Record exact_step (s : @sight Pair Rel) (c : class) : Prop := {
  sees_pairs : forall p q r, In p pairs -> In (q, r) (sees s p) -> In q pairs;
  one_number : forall p q, number s p = number s q;
  has_heads : exists (admits : state -> list (state * Rel) -> Prop) (family : family),
    complete admits family c /\ (forall hd, family hd -> promise c hd) /\
    (forall (h : Pair -> state) p, In p pairs -> admits (h p) (view s h p)) }.

(* A round keeps apart only what it must. *)
Definition exact_round (s : @sight Pair Rel) (c : class) (first next : @partition Pair) : Prop :=
  forall p q, In p pairs -> In q pairs -> next p <> next q ->
  first p <> first q \/ ~ seen_alike s c first p q.

Definition separates (first : @partition Pair) (h : Pair -> state) : Prop :=
  forall p q, In p pairs -> In q pairs -> first p <> first q -> h p <> h q.

(* The pair of a state: states that separate groups name them. *)
Definition pair_of (h : Pair -> state) (t : state) : option Pair :=
  find (fun r => if state_dec (h r) t then true else false) pairs.

Lemma pair_of_spec : forall h p, In p pairs -> exists r, pair_of h (h p) = Some r /\ In r pairs /\ h r = h p.
Proof.
  intros h p Hp. unfold pair_of. destruct (find _ pairs) as [r |] eqn:E.
  - exists r. apply find_some in E. destruct E as [Hr E]. destruct (state_dec (h r) (h p)); [ auto | discriminate ].
  - exfalso. apply (find_none _ _ E) in Hp. destruct (state_dec (h p) (h p)); congruence.
Qed.

(* What states show, colours show: if states separate the groups, views unlike in colours are unlike in
   states. *)
Lemma unlike_in_states : forall s c first h p q, exact_step s c -> separates first h ->
  In p pairs -> In q pairs -> ~ seen_alike s c first p q ->
  ~ same_view c (number s p) (view s h p) (number s p) (view s h q).
Proof.
  intros s c first h p q Hs Hsep Hp Hq Hnot Hsame. apply Hnot. unfold seen_alike.
  rewrite (one_number s c Hs q p).
  set (g := fun t => match pair_of h t with Some r => first r | None => p end).
  assert (Hg : forall r, In r pairs -> g (h r) = first r).
  { intros r Hr. unfold g. destruct (pair_of_spec h r Hr) as (r' & -> & Hr' & E).
    destruct (pair_dec (first r') (first r)) as [-> | Hne]; auto.
    exfalso. exact (Hsep r' r Hr' Hr Hne E). }
  assert (Hview : forall r, In r pairs -> map (on_thing g) (view s h r) = view s first r).
  { intros r Hr. unfold view. rewrite map_map. apply map_ext_in. intros [t x] Hin. unfold on_thing; simpl.
    f_equal. apply Hg. exact (sees_pairs s c Hs r t x Hr Hin). }
  rewrite <- (Hview p Hp), <- (Hview q Hq). now apply same_view_map.
Qed.

(* One layer for one round. *)
Lemma exact_layer : forall s c first next h,
  exact_step s c -> exact_round s c first next -> separates first h ->
  exists L : layer, promise c L /\ separates next (apply s L h).
Proof.
  intros s c first next h Hs Hround Hsep.
  destruct (has_heads s c Hs) as (admits & family & Hcomplete & Hpromise & Hadmits).
  assert (Hheads : forall todo : list (Pair * Pair), incl todo (list_prod pairs pairs) ->
    exists heads, Forall family heads /\ forall p q, In (p, q) todo -> next p <> next q -> h p = h q ->
      map (fun hd => hd (h p) (number s p) (view s h p)) heads
      <> map (fun hd => hd (h q) (number s q) (view s h q)) heads).
  { induction todo as [| [p q] todo IH]; intros Hincl.
    - exists []. split; [ constructor | contradiction ].
    - destruct IH as (heads & Hf & Hheads); [ intros z Hz; apply Hincl; now right | ].
      assert (Hpq := Hincl (p, q) (or_introl eq_refl)). apply in_prod_iff in Hpq. destruct Hpq as [Hp Hq].
      destruct (pair_dec (next p) (next q)) as [E | E]; [ | destruct (state_dec (h p) (h q)) as [Eh | Eh] ].
      + exists heads. split; auto. intros p' q' [[= <- <-] | Hin]; [ contradiction | auto ].
      + assert (Hunlike : ~ seen_alike s c first p q).
        { destruct (Hround p q Hp Hq E) as [Hne | Hne]; auto. exfalso. exact (Hsep p q Hp Hq Hne Eh). }
        apply (unlike_in_states s c first h p q Hs Hsep Hp Hq) in Hunlike.
        destruct (Hcomplete (h p) (number s p) (view s h p) (view s h q)) as (hd & Hhd & Hout); auto.
        * rewrite Eh. auto.
        * exists (hd :: heads). split; [ now constructor | ].
          intros p' q' [[= <- <-] | Hin] Hne Heq; simpl.
          -- rewrite <- Eh, (one_number s c Hs q p). congruence.
          -- intros [= _ Hmap]. now apply (Hheads p' q').
      + exists heads. split; auto. intros p' q' [[= <- <-] | Hin]; [ contradiction | auto ]. }
  destruct (Hheads (list_prod pairs pairs) (incl_refl _)) as (heads & Hf & Hout).
  exists (fun own n xs => after own (map (fun hd => hd own n xs) heads)). split.
  - apply (promise_of_heads c heads after). apply Forall_forall. intros hd Hin. apply Hpromise.
    rewrite Forall_forall in Hf. auto.
  - intros p q Hp Hq Hne. unfold apply. intros [= Eh Eout]. apply (Hout p q); auto. now apply in_prod.
Qed.

Inductive exact_rounds : @partition Pair -> plan -> @partition Pair -> Prop :=
| exact_none first : exact_rounds first [] first
| exact_more first s c next rest last :
    exact_step s c -> exact_round s c first next -> exact_rounds next rest last ->
    exact_rounds first ((s, c) :: rest) last.

Theorem rounds_exact : forall steps first last h,
  exact_rounds first steps last -> separates first h ->
  exists net, Forall2 follows steps net /\ separates last (states h net).
Proof.
  intros steps first last h Hrounds. revert h.
  induction Hrounds as [first | first s c next rest last Hs Hround _ IH]; intros h Hsep.
  - exists []. split; [ constructor | exact Hsep ].
  - destruct (exact_layer s c first next h Hs Hround Hsep) as (L & HL & Hnext).
    destruct (IH _ Hnext) as (net & Hnet & Hlast). exists ((s, L) :: net). split; auto.
    constructor; auto. split; auto.
Qed.

(* With rounds that are sound and exact, the floor of the groups is the smallest error of any network of
   so many layers: none does better (Floors.v), and one attains it. *)
Theorem floor_is_minimum : forall steps first last (h : Pair -> state) evaluated d group y,
  exact_rounds first steps last -> separates first h -> incl evaluated pairs ->
  (forall p q, last p = last q <-> group p = group q) ->
  exists net (read : state -> nat -> R), Forall2 follows steps net /\
    mse evaluated d y (fun p => read (states h net p)) = mse_floor group evaluated d y.
Proof.
  intros steps first last h evaluated d group y Hrounds Hsep Hincl Hgroup.
  destruct (rounds_exact steps first last h Hrounds Hsep) as (net & Hnet & Hlast).
  set (f := states h net) in *.
  exists net, (fun t => match pair_of f t with Some r => group_mean group evaluated y r | None => fun _ => 0 end).
  split; auto. rewrite <- mse_floor_attained. unfold mse, square_error. f_equal.
  apply sum_ext. intros p Hp. apply sum_ext. intros ch _. fold f.
  destruct (pair_of_spec f p (Hincl p Hp)) as (r & -> & Hr & E).
  assert (G : group r = group p).
  { apply Hgroup. destruct (pair_dec (last r) (last p)) as [El | El]; auto.
    exfalso. exact (Hlast r p Hr (Hincl p Hp) El E). }
  unfold group_mean. now rewrite G.
Qed.

End Exact.

(* The families are of their classes. *)
Lemma bias_family_promise : forall {Rel} hd, @bias_family Rel hd -> promise (class_of normalised one_colour) hd.
Proof. intros Rel hd (bias & v & ->). apply softmax_class. Qed.
Lemma uniform_family_promise : forall {Rel} hd, @uniform_family Rel hd -> promise (class_of normalised one_colour) hd.
Proof. intros Rel hd (v & ->). apply softmax_class. Qed.
Lemma urpe_family_promise : forall {Rel} hd, @urpe_family Rel hd -> promise (class_of normalised no_clause) hd.
Proof. intros Rel hd (c & v & ->). apply softmax_C_normalised. Qed.
Lemma sink_family_promise : forall {Rel} hd, @sink_family Rel hd -> promise (class_of counted no_clause) hd.
Proof. intros Rel hd (bias & v & ->). apply sink_class. Qed.

(* The case of the paper: positions of samples, softmax with a Toeplitz bias, any mask that lets a query
   see itself.  Every step of such a plan is exact. *)
Definition sees_itself {Pair Rel} (s : sight) (r0 : Rel) : Prop :=
  forall p : Pair, exists before later, sees s p = before ++ (p, r0) :: later /\
    Forall (fun x => snd x <> r0) (before ++ later).

Theorem toeplitz_step : forall {Pair Rel : Type} (rel_dec : forall r q : Rel, {r = q} + {r <> q}) pairs
  (s : @sight Pair Rel) (r0 : Rel),
  (forall p q r, In p pairs -> In (q, r) (sees s p) -> In q pairs) ->
  (forall p q, number s p = number s q) -> sees_itself s r0 ->
  exact_step pairs s (class_of normalised one_colour).
Proof.
  intros Pair Rel rel_dec pairs s r0 Hclosed Hnumber Hself. split; auto.
  exists (own_offset r0), bias_family. split; [ now apply toeplitz_complete | ].
  split; [ apply bias_family_promise | ].
  intros h p _. destruct (Hself p) as (before & later & E & Hne).
  exists (map (on_thing h) (before ++ later)). split.
  - unfold view. rewrite E, !map_app. simpl. symmetry. apply Permutation_middle.
  - apply Forall_map, Forall_impl with (2 := Hne). auto.
Qed.

Theorem uniform_step : forall {Pair Rel : Type} (rel_dec : forall r q : Rel, {r = q} + {r <> q}) pairs
  (s : @sight Pair Rel) (r0 : Rel),
  (forall p q r, In p pairs -> In (q, r) (sees s p) -> In q pairs /\ r = r0) ->
  (forall p q, number s p = number s q) -> (forall p, sees s p <> []) ->
  exact_step pairs s (class_of normalised one_colour).
Proof.
  intros Pair Rel rel_dec pairs s r0 Hclosed Hnumber Hne. split; auto.
  - intros p q r Hp Hin. exact (proj1 (Hclosed p q r Hp Hin)).
  - exists (one_relation r0), uniform_family. split; [ now apply uniform_complete | ].
    split; [ apply uniform_family_promise | ]. intros h p Hp. split; [ now apply map_not_nil | ].
    apply Forall_map, Forall_forall. intros [q r] Hin. exact (proj2 (Hclosed p q r Hp Hin)).
Qed.

Theorem urpe_step : forall {Pair Rel : Type} (rel_dec : forall r q : Rel, {r = q} + {r <> q}) pairs
  (s : @sight Pair Rel),
  (forall p q r, In p pairs -> In (q, r) (sees s p) -> In q pairs) ->
  (forall p q, number s p = number s q) -> (forall p, sees s p <> []) ->
  exact_step pairs s (class_of normalised no_clause).
Proof.
  intros Pair Rel rel_dec pairs s Hclosed Hnumber Hne. split; auto.
  exists not_empty, urpe_family. split; [ now apply urpe_complete | ].
  split; [ apply urpe_family_promise | ]. intros h p _. now apply map_not_nil.
Qed.

Theorem sink_step : forall {Pair Rel : Type} (rel_dec : forall r q : Rel, {r = q} + {r <> q}) pairs
  (s : @sight Pair Rel),
  (forall p q r, In p pairs -> In (q, r) (sees s p) -> In q pairs) ->
  (forall p q, number s p = number s q) ->
  exact_step pairs s (class_of counted no_clause).
Proof.
  intros Pair Rel rel_dec pairs s Hclosed Hnumber. split; auto.
  exists any_view, sink_family. split; [ now apply sink_complete | ].
  split; [ apply sink_family_promise | ]. intros. exact I.
Qed.
