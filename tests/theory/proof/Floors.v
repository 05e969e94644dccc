(* Floors: what equal outputs within groups cost.

   [pairs] are the evaluated pairs of one row: the whole set, or a subset of it.  [group p] is the
   number of p's group.  A function f *agrees* if it is equal on all evaluated pairs of a group: by
   [stable_sound] every output of every network of the class does.

     mean square error     >=  sum over groups of |y - mean of the group|^2, over pairs and channels
     largest error         >=  max over groups and channels of (max - min) / 2
     right answers         <=  sum over groups of the largest number of equal labels
     mean cross-entropy    >=  sum over groups of size x entropy of the labels, over pairs

   Every floor but the last is attained ([mse_floor_attained] is proved here), so no better floor
   follows from the partition alone. *)

Require Import List Arith Lia Permutation Reals Lra.
Require Import Urpe.Views Urpe.Sums.
Import ListNotations.
Open Scope R_scope.

(* The largest value of a nonnegative function on a list; 0 if the list is empty. *)
Definition largest {A} (f : A -> R) (xs : list A) : R := fold_right (fun x m => Rmax (f x) m) 0 xs.

Lemma largest_upper : forall {A} (f : A -> R) xs x, In x xs -> f x <= largest f xs.
Proof.
  induction xs as [| z rest IH]; intros x Hin; [ contradiction | simpl ].
  destruct Hin as [-> | Hin]; [ apply Rmax_l | ].
  apply Rle_trans with (largest f rest); [ now apply IH | apply Rmax_r ].
Qed.

Lemma largest_least : forall {A} (f : A -> R) xs b, 0 <= b -> (forall x, In x xs -> f x <= b) -> largest f xs <= b.
Proof.
  induction xs as [| z rest IH]; intros b Hb H; simpl; auto.
  apply Rmax_lub; [ apply H; simpl; auto | apply IH; auto; intros; apply H; simpl; auto ].
Qed.

Lemma largest_nonneg : forall {A} (f : A -> R) xs, 0 <= largest f xs.
Proof. induction xs; simpl; [ lra | ]. eapply Rle_trans; [ eassumption | apply Rmax_r ]. Qed.

Definition mean {A} (y : A -> R) (xs : list A) : R := sum y xs / INR (length xs).
Definition deviation {A} (y : A -> R) (xs : list A) : R := sum (fun p => (y p - mean y xs) ^ 2) xs.

(* sum (y - a)^2 = deviation + m (a - mean)^2: the mean is the best constant. *)
Lemma sum_squares_about : forall {A} (y : A -> R) a xs,
  sum (fun p => (y p - a) ^ 2) xs = deviation y xs + INR (length xs) * (a - mean y xs) ^ 2.
Proof.
  intros A y a xs. unfold deviation.
  assert (H : forall b, sum (fun p => (y p - b) ^ 2) xs
              = sum (fun p => y p ^ 2) xs - 2 * b * sum y xs + INR (length xs) * b ^ 2).
  { intros b. rewrite (sum_ext _ (fun p => y p ^ 2 - 2 * b * y p + b ^ 2)) by (intros; ring).
    rewrite sum_plus, sum_minus, sum_scale, sum_const. ring. }
  rewrite !H. unfold mean. destruct xs as [| x xs]; [ simpl; ring | ].
  assert (0 < INR (length (x :: xs))) by (apply lt_0_INR; simpl; lia). field. lra.
Qed.

Lemma deviation_best : forall {A} (y : A -> R) a xs, deviation y xs <= sum (fun p => (y p - a) ^ 2) xs.
Proof.
  intros. rewrite sum_squares_about. assert (0 <= INR (length xs) * (a - mean y xs) ^ 2); [ | lra ].
  apply Rmult_le_pos; [ apply pos_INR | apply pow2_ge_0 ].
Qed.

Section Floors.

Context {Pair : Type}.
Variables (group : Pair -> nat) (pairs : list Pair) (d : nat).

Definition groups : list nat := keys group pairs.
Definition of_group (g : nat) : list Pair := members group pairs g.

Definition agrees {T} (f : Pair -> T) : Prop :=
  forall p q, In p pairs -> In q pairs -> group p = group q -> f p = f q.

Lemma group_not_empty : forall g, In g groups -> exists p, In p (of_group g).
Proof.
  intros g H. unfold groups, keys in H. apply nodup_In, in_map_iff in H.
  destruct H as (p & Hp & Hin). exists p. now apply in_members.
Qed.

Lemma agrees_in_group : forall {T} (f : Pair -> T) g, agrees f -> In g groups ->
  exists a, forall p, In p (of_group g) -> f p = a.
Proof.
  intros T f g Hf Hg. destruct (group_not_empty g Hg) as (q & Hq). exists (f q).
  intros p Hp. apply in_members in Hp, Hq. apply Hf; try tauto. destruct Hp, Hq. congruence.
Qed.

(* ---- mean square error ------------------------------------------------------------------------------- *)

(* Outputs and targets have d channels. *)
Definition square_error (y f : Pair -> nat -> R) : R :=
  sum (fun p => sum (fun ch => (y p ch - f p ch) ^ 2) (seq 0 d)) pairs.
Definition mse (y f : Pair -> nat -> R) : R := square_error y f / (INR (length pairs) * INR d).

Definition square_floor (y : Pair -> nat -> R) : R :=
  sum (fun g => sum (fun ch => deviation (fun p => y p ch) (of_group g)) (seq 0 d)) groups.
Definition mse_floor (y : Pair -> nat -> R) : R := square_floor y / (INR (length pairs) * INR d).

Lemma square_error_by_group : forall y f, square_error y f
  = sum (fun g => sum (fun ch => sum (fun p => (y p ch - f p ch) ^ 2) (of_group g)) (seq 0 d)) groups.
Proof.
  intros y f. unfold square_error. rewrite (sum_by_group group). apply sum_ext. intros g _. apply sum_swap.
Qed.

Lemma square_floor_holds : forall y f, agrees f -> square_floor y <= square_error y f.
Proof.
  intros y f Hf. rewrite square_error_by_group. apply sum_le. intros g Hg. apply sum_le. intros ch _.
  destruct (agrees_in_group f g Hf Hg) as (a & Ha).
  rewrite (sum_ext _ (fun p => (y p ch - a ch) ^ 2)) by (intros p Hp; now rewrite (Ha p Hp)).
  apply deviation_best.
Qed.

Lemma divided_le : forall a b x, 0 <= x -> a <= b -> a / x <= b / x.
Proof.
  intros a b x [Hx | <-] H; unfold Rdiv; [ | rewrite Rinv_0; lra ].
  apply Rmult_le_compat_r; auto. now apply Rlt_le, Rinv_0_lt_compat.
Qed.

(* The MSE floor, and its root. *)
Theorem mse_floor_holds : forall y f, agrees f -> mse_floor y <= mse y f.
Proof. intros. apply divided_le; [ rewrite <- mult_INR; apply pos_INR | now apply square_floor_holds ]. Qed.

Corollary rms_floor_holds : forall y f, agrees f -> sqrt (mse_floor y) <= sqrt (mse y f).
Proof. intros. apply sqrt_le_1_alt. now apply mse_floor_holds. Qed.

(* The function that answers each group with its mean attains the floor. *)
Definition group_mean (y : Pair -> nat -> R) (p : Pair) (ch : nat) : R :=
  mean (fun q => y q ch) (of_group (group p)).

Theorem mse_floor_attained : forall y, mse y (group_mean y) = mse_floor y.
Proof.
  intros y. unfold mse, mse_floor. f_equal. rewrite square_error_by_group.
  apply sum_ext. intros g Hg. apply sum_ext. intros ch _. apply sum_ext.
  intros p Hp. apply in_members in Hp. unfold group_mean. now rewrite (proj2 Hp).
Qed.

(* ---- the largest error --------------------------------------------------------------------------------- *)

Definition sup_error (y f : Pair -> nat -> R) : R :=
  largest (fun p => largest (fun ch => Rabs (y p ch - f p ch)) (seq 0 d)) pairs.

Definition sup_floor (y : Pair -> nat -> R) : R :=
  largest (fun g => largest (fun ch => largest (fun p => largest (fun q =>
    Rabs (y p ch - y q ch) / 2) (of_group g)) (of_group g)) (seq 0 d)) groups.

Lemma sup_error_upper : forall y f p ch, In p pairs -> (ch < d)%nat -> Rabs (y p ch - f p ch) <= sup_error y f.
Proof.
  intros y f p ch Hp Hch. unfold sup_error.
  eapply Rle_trans; [ | apply (largest_upper _ pairs p Hp) ]. simpl.
  apply (largest_upper (fun ch => Rabs (y p ch - f p ch))). apply in_seq. lia.
Qed.

(* Two targets of one group that differ by D: one of the two is missed by D / 2. *)
Lemma half_gap : forall y f p q ch, In p pairs -> In q pairs -> (ch < d)%nat -> f p ch = f q ch ->
  Rabs (y p ch - y q ch) / 2 <= sup_error y f.
Proof.
  intros y f p q ch Hp Hq Hch Hf.
  assert (Ep := sup_error_upper y f p ch Hp Hch). assert (Eq := sup_error_upper y f q ch Hq Hch).
  assert (T := Rabs_triang (y p ch - f p ch) (f q ch - y q ch)).
  replace (y p ch - f p ch + (f q ch - y q ch)) with (y p ch - y q ch) in T by (rewrite Hf; ring).
  rewrite (Rabs_minus_sym (f q ch)) in T. lra.
Qed.

Theorem sup_floor_holds : forall y f, agrees f -> sup_floor y <= sup_error y f.
Proof.
  intros y f Hf. assert (Hpos : 0 <= sup_error y f) by apply largest_nonneg.
  unfold sup_floor. repeat (apply largest_least; [ exact Hpos | intros ]).
  rename x into g, x0 into ch, x1 into p, x2 into q. apply in_members in H1, H2. apply in_seq in H0.
  destruct H1 as [Hp Gp], H2 as [Hq Gq]. apply half_gap; auto; [ lia | ].
  now rewrite (Hf p q Hp Hq (eq_trans Gp (eq_sym Gq))).
Qed.

(* ---- labels --------------------------------------------------------------------------------------------- *)

Variable label : Pair -> nat.

Definition count (l : nat) (ls : list nat) : nat := count_occ Nat.eq_dec ls l.
Definition labels_of (g : nat) : list nat := map label (of_group g).

(* How often the commonest label occurs. *)
Definition commonest (ls : list nat) : nat := fold_right (fun l m => Nat.max (count l ls) m) 0%nat ls.

Definition right_answers (answer : Pair -> nat) : nat := length (filter (fun p => answer p =? label p)%nat pairs).
Definition accuracy (answer : Pair -> nat) : R := INR (right_answers answer) / INR (length pairs).
Definition accuracy_ceiling : R :=
  sum (fun g => INR (commonest (labels_of g))) groups / INR (length pairs).

Lemma fold_max_upper : forall (f : nat -> nat) ls l, In l ls ->
  (f l <= fold_right (fun l m => Nat.max (f l) m) 0 ls)%nat.
Proof.
  induction ls as [| z rest IH]; intros l Hin; [ contradiction | simpl ].
  destruct Hin as [-> | Hin]; [ lia | specialize (IH l Hin); lia ].
Qed.

Lemma count_le_commonest : forall l ls, (count l ls <= commonest ls)%nat.
Proof.
  intros l ls. destruct (in_dec Nat.eq_dec l ls) as [Hin | Hout].
  - apply (fold_max_upper (fun l => count l ls)), Hin.
  - unfold count. apply (count_occ_not_In Nat.eq_dec) in Hout. rewrite Hout. lia.
Qed.

Lemma right_in_group : forall (answer : Pair -> nat) ps a, (forall p, In p ps -> answer p = a) ->
  sum (fun p => if (answer p =? label p)%nat then 1 else 0) ps = INR (count a (map label ps)).
Proof.
  intros answer ps a. induction ps as [| p ps IH]; intros H; [ reflexivity | ].
  unfold count in *. simpl. rewrite (H p) by (simpl; auto).
  rewrite IH by (intros; apply H; simpl; auto).
  destruct (Nat.eq_dec (label p) a) as [E | E]; destruct (Nat.eqb_spec a (label p)); try congruence.
  - rewrite S_INR. lra.
  - lra.
Qed.

Lemma length_is_sum : forall {A} (keep : A -> bool) xs,
  INR (length (filter keep xs)) = sum (fun x => if keep x then 1 else 0) xs.
Proof.
  induction xs as [| x xs IH]; [ reflexivity | ]. simpl. destruct (keep x); rewrite <- IH; [ | lra ].
  simpl length. rewrite S_INR. lra.
Qed.

Lemma right_answers_bound : forall answer, agrees answer ->
  INR (right_answers answer) <= sum (fun g => INR (commonest (labels_of g))) groups.
Proof.
  intros answer Hf. unfold right_answers. rewrite length_is_sum, (sum_by_group group).
  apply sum_le. intros g Hg. destruct (agrees_in_group answer g Hf Hg) as (a & Ha).
  fold (of_group g). rewrite (right_in_group answer _ a Ha). apply le_INR, count_le_commonest.
Qed.

Theorem accuracy_ceiling_holds : forall answer, agrees answer -> accuracy answer <= accuracy_ceiling.
Proof. intros. apply divided_le; [ apply pos_INR | now apply right_answers_bound ]. Qed.

(* ---- cross-entropy -------------------------------------------------------------------------------------- *)

(* prob p l: the probability that the network gives to label l at pair p. *)
Definition cross_entropy (prob : Pair -> nat -> R) : R :=
  sum (fun p => - ln (prob p (label p))) pairs / INR (length pairs).

(* Size times entropy of the labels of a group: sum_l m_l ln (m / m_l). *)
Definition entropy (ls : list nat) : R :=
  sum (fun l => INR (count l ls) * ln (INR (length ls) / INR (count l ls))) (nodup Nat.eq_dec ls).
Definition cross_entropy_floor : R := sum (fun g => entropy (labels_of g)) groups / INR (length pairs).

Lemma ln_le_minus : forall x, 0 < x -> ln x <= x - 1.
Proof.
  intros x Hx. assert (H := exp_ineq1_le (ln x)). rewrite exp_ln in H by exact Hx. lra.
Qed.

(* A sum over a list is a sum over its distinct members, each as often as it occurs. *)
Lemma sum_by_value : forall (f : nat -> R) ls,
  sum f ls = sum (fun l => INR (count l ls) * f l) (nodup Nat.eq_dec ls).
Proof.
  intros f ls. rewrite (sum_by_group (fun l => l)). unfold keys. rewrite map_id.
  apply sum_ext. intros l _. unfold members, count.
  rewrite (sum_ext f (fun _ => f l) (filter _ ls)).
  - rewrite sum_const. f_equal. f_equal. induction ls as [| z ls IH]; auto.
    simpl. destruct (Nat.eq_dec z l) as [E | E]; destruct (Nat.eqb_spec z l); simpl; congruence.
  - intros x Hx. apply filter_In in Hx. destruct Hx as [_ Hx]. apply Nat.eqb_eq in Hx. congruence.
Qed.

(* Gibbs: no distribution gives the labels of a group a smaller cross-entropy than their entropy. *)
Lemma entropy_best : forall (q : nat -> R) ls, (forall l, 0 < q l) -> sum q (nodup Nat.eq_dec ls) <= 1 ->
  entropy ls <= sum (fun l => - ln (q l)) ls.
Proof.
  intros q ls Hq Hsum. destruct ls as [| l0 rest]; [ unfold entropy; simpl; lra | ]. set (ls := l0 :: rest) in *.
  set (m := INR (length ls)).
  assert (Hm : 0 < m) by (apply lt_0_INR; simpl; lia).
  rewrite (sum_by_value (fun l => - ln (q l))). unfold entropy. fold m.
  assert (Hc : forall l, In l (nodup Nat.eq_dec ls) -> 0 < INR (count l ls)).
  { intros l Hl. apply nodup_In in Hl. apply lt_0_INR. now apply (count_occ_In Nat.eq_dec) in Hl. }
  (* m_l ln(m / m_l) + m_l ln q_l = m_l ln(m q_l / m_l) <= m q_l - m_l, and these sum to at most 0 *)
  assert (Hle : sum (fun l => INR (count l ls) * ln (m / INR (count l ls)) - INR (count l ls) * - ln (q l))
                    (nodup Nat.eq_dec ls)
                <= sum (fun l => m * q l - INR (count l ls)) (nodup Nat.eq_dec ls)).
  { apply sum_le. intros l Hl. specialize (Hc l Hl). specialize (Hq l).
    assert (Hr : 0 < m / INR (count l ls)) by (now apply Rdiv_lt_0_compat).
    assert (E := ln_le_minus (m / INR (count l ls) * q l) (Rmult_lt_0_compat _ _ Hr Hq)).
    rewrite ln_mult in E by auto.
    apply (Rmult_le_compat_l (INR (count l ls))) in E; [ | lra ].
    replace (INR (count l ls) * (m / INR (count l ls) * q l - 1)) with (m * q l - INR (count l ls)) in E
      by (field; lra). lra. }
  rewrite !sum_minus, sum_scale in Hle.
  assert (Hall : sum (fun l => INR (count l ls)) (nodup Nat.eq_dec ls) = m).
  { rewrite (sum_ext _ (fun l => INR (count l ls) * 1)) by (intros; ring).
    rewrite <- (sum_by_value (fun _ => 1)), sum_const. fold m. ring. }
  assert (m * sum q (nodup Nat.eq_dec ls) <= m * 1) by (apply Rmult_le_compat_l; lra). lra.
Qed.

(* Probabilities are positive (softmax) and those of any labels sum to at most 1. *)
Definition distribution (q : nat -> R) : Prop :=
  (forall l, 0 < q l) /\ forall ls, NoDup ls -> sum q ls <= 1.

Lemma entropy_floor_holds : forall prob, (forall p, distribution (prob p)) -> agrees prob ->
  sum (fun g => entropy (labels_of g)) groups <= sum (fun p => - ln (prob p (label p))) pairs.
Proof.
  intros prob Hprob Hf. rewrite (sum_by_group group _ pairs).
  apply sum_le. intros g Hg. destruct (group_not_empty g Hg) as (p0 & _).
  destruct (agrees_in_group prob g Hf Hg) as (q & Hq).
  destruct (group_not_empty g Hg) as (p & Hp). specialize (Hprob p). rewrite (Hq p Hp) in Hprob.
  fold (of_group g).
  rewrite (sum_ext _ (fun p => - ln (q (label p)))) by (intros x Hx; now rewrite (Hq x Hx)).
  rewrite <- (sum_map (fun l => - ln (q l)) label). apply entropy_best; [ apply Hprob | ].
  apply Hprob, NoDup_nodup.
Qed.

Theorem cross_entropy_floor_holds : forall prob,
  (forall p, distribution (prob p)) -> agrees prob -> cross_entropy_floor <= cross_entropy prob.
Proof. intros. apply divided_le; [ apply pos_INR | now apply entropy_floor_holds ]. Qed.

End Floors.
