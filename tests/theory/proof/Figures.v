(* The figures of a certificate in exact arithmetic, and the theorem about the checker.

   Theorem ([check_sound]).  If [check c = true], then for every network of the plan of [c], with any
   weights, of any width, and for every real function read off its states:

     mean square error        >=  claimed_mse
     largest absolute error   >=  claimed_sup
     right answers            <=  claimed_right
     cross-entropy            >=  the entropy of the labels within groups,

   over the evaluated pairs of [c], those that are alone in their groups included, whatever the network
   does on these. *)

Require Import List Arith Lia Permutation Bool NArith ZArith QArith Qreals Reals Lra.
Require Import Urpe.Views Urpe.Networks Urpe.Sums Urpe.Floors Urpe.Checker.
Import ListNotations.

Open Scope Q_scope.

Section Figures.

Variable c : certificate.

(* ---- what is computed ------------------------------------------------------------------------------------- *)

Definition group_number (p : N) : nat := N.to_nat (first_member c p).
Definition group_numbers : list nat := keys group_number (evaluated c).
Definition group_members (g : nat) : list N := members group_number (evaluated c) g.

Definition target_z (p : N) (ch : nat) : Z := nth ch (entry [] (targets c) p) 0%Z.

Definition sum_z {A} (f : A -> Z) (xs : list A) : Z := fold_right (fun x a => (f x + a)%Z) 0%Z xs.
Definition sum_q {A} (f : A -> Q) (xs : list A) : Q := fold_right (fun x a => Qred (f x + a)) 0 xs.

(* Sum of squared deviations from the mean: sum z^2 - (sum z)^2 / m. *)
Definition deviation_q {A} (z : A -> Z) (xs : list A) : Q :=
  let s := sum_z z xs in
  Qred (inject_Z (sum_z (fun x => z x * z x)%Z xs) - inject_Z (s * s) / inject_Z (Z.of_nat (length xs))).

Definition square_floor_q : Q :=
  sum_q (fun g => sum_q (fun ch => deviation_q (fun p => target_z p ch) (group_members g)) (seq 0 (channels c)))
        group_numbers.

(* The largest difference of two targets in a group, over groups and channels. *)
Definition largest_z {A} (f : A -> Z) (xs : list A) : Z := fold_right (fun x m => Z.max (f x) m) 0%Z xs.
Definition gap_z {A} (z : A -> Z) (xs : list A) : Z :=
  match xs with
  | [] => 0
  | x :: rest => fold_right (fun p m => Z.max (z p) m) (z x) rest - fold_right (fun p m => Z.min (z p) m) (z x) rest
  end%Z.
Definition sup_gap_z : Z :=
  largest_z (fun g => largest_z (fun ch => gap_z (fun p => target_z p ch) (group_members g)) (seq 0 (channels c)))
            group_numbers.

Definition label_n (p : N) : nat := entry 0%nat (labels c) p.
Definition right_listed : nat :=
  fold_right (fun g a => (commonest (map label_n (group_members g)) + a)%nat) 0%nat group_numbers.

Definition power : Z := (2 ^ Z.of_N (scale c))%Z.
Definition evaluated_pairs : nat := (length (evaluated c) + alone c)%nat.
Definition mse_q : Q :=
  square_floor_q / inject_Z (power * power * Z.of_nat evaluated_pairs * Z.of_nat (channels c)).
Definition sup_q : Q := inject_Z sup_gap_z / inject_Z (2 * power).

Definition check : bool :=
  check_groups c && Nat.ltb 0 evaluated_pairs && Nat.ltb 0 (channels c)
  && Qle_bool (claimed_mse c) mse_q && Qle_bool (claimed_sup c) sup_q
  && Nat.leb (right_listed + alone c) (claimed_right c).

(* ---- in real numbers ---------------------------------------------------------------------------------------- *)

Open Scope R_scope.

(* Targets as real numbers: z 2^(- scale). *)
Definition target (p : N) (ch : nat) : R := IZR (target_z p ch) / IZR power.

Lemma power_pos : 0 < IZR power.
Proof. unfold power. apply IZR_lt. apply Z.pow_pos_nonneg; lia. Qed.

Lemma Q2R_inject : forall z, Q2R (inject_Z z) = IZR z.
Proof. intros. unfold Q2R, inject_Z. simpl. field. Qed.

Lemma Q2R_red : forall q, Q2R (Qred q) = Q2R q.
Proof. intros. apply Qeq_eqR, Qred_correct. Qed.

Lemma Q2R_div_z : forall q z, z <> 0%Z -> Q2R (q / inject_Z z) = Q2R q / IZR z.
Proof.
  intros q z Hz. rewrite Q2R_div, Q2R_inject; auto. intros E. apply Hz.
  exact (proj1 (inject_Z_injective z 0) E).
Qed.

Lemma sum_z_real : forall {A} (f : A -> Z) xs, IZR (sum_z f xs) = sum (fun x => IZR (f x)) xs.
Proof. induction xs; simpl; auto. now rewrite plus_IZR, IHxs. Qed.

Lemma sum_q_real : forall {A} (f : A -> Q) xs, Q2R (sum_q f xs) = sum (fun x => Q2R (f x)) xs.
Proof.
  induction xs as [| x xs IH]; [ unfold Q2R; simpl; lra | ].
  change (sum_q f (x :: xs)) with (Qred (f x + sum_q f xs)). now rewrite Q2R_red, Q2R_plus, IH.
Qed.

Lemma deviation_expanded : forall {A} (y : A -> R) xs,
  deviation y xs = sum (fun x => y x * y x) xs - sum y xs * sum y xs / INR (length xs).
Proof.
  intros A y xs. assert (E := sum_squares_about y 0 xs).
  rewrite (sum_ext _ (fun x => y x * y x)) in E by (intros; ring). unfold mean in *.
  destruct xs as [| x xs]; [ unfold deviation; simpl; unfold Rdiv; ring | ].
  assert (0 < INR (length (x :: xs))) by (apply lt_0_INR; simpl; lia).
  rewrite E. field. lra.
Qed.

Lemma deviation_q_real : forall {A} (z : A -> Z) xs, Q2R (deviation_q z xs) = deviation (fun x => IZR (z x)) xs.
Proof.
  intros A z xs. unfold deviation_q. rewrite Q2R_red, deviation_expanded.
  destruct xs as [| x xs]; [ unfold Q2R; simpl; unfold Rdiv; lra | ].
  rewrite Q2R_minus, Q2R_div_z by (simpl; lia). rewrite !Q2R_inject, mult_IZR, !sum_z_real, <- INR_IZR_INZ.
  f_equal. apply sum_ext. intros. apply mult_IZR.
Qed.

Lemma deviation_scaled : forall {A} (y : A -> R) a xs, deviation (fun x => y x / a) xs = deviation y xs / (a * a).
Proof.
  intros A y a xs. unfold Rdiv. rewrite Rinv_mult, !deviation_expanded.
  rewrite (sum_ext (fun x => y x * / a * (y x * / a)) (fun x => / a * / a * (y x * y x))) by (intros; ring).
  rewrite (sum_ext (fun x => y x * / a) (fun x => / a * y x)) by (intros; ring).
  rewrite !sum_scale. unfold Rdiv. ring.
Qed.

Lemma square_floor_q_real :
  Q2R square_floor_q / (IZR power * IZR power) = square_floor group_number (evaluated c) (channels c) target.
Proof.
  unfold square_floor_q, square_floor. rewrite sum_q_real. unfold Rdiv. rewrite Rmult_comm, <- sum_scale.
  apply sum_ext. intros g _. rewrite sum_q_real, <- sum_scale. apply sum_ext. intros ch _.
  rewrite deviation_q_real. unfold target. rewrite deviation_scaled. unfold Rdiv. apply Rmult_comm.
Qed.

(* The largest and the smallest target of a group are targets of two of its pairs. *)
Lemma fold_max_in : forall {A} (z : A -> Z) rest x,
  exists p, In p (x :: rest) /\ fold_right (fun p m => Z.max (z p) m) (z x) rest = z p.
Proof.
  intros A z. induction rest as [| y rest IH]; intros x; simpl; [ exists x; auto | ].
  destruct (IH x) as (p & Hin & ->). destruct (Z.max_spec (z y) (z p)) as [[_ ->] | [_ ->]].
  - exists p. simpl in Hin. tauto.
  - exists y. tauto.
Qed.

Lemma fold_min_in : forall {A} (z : A -> Z) rest x,
  exists p, In p (x :: rest) /\ fold_right (fun p m => Z.min (z p) m) (z x) rest = z p.
Proof.
  intros A z. induction rest as [| y rest IH]; intros x; simpl; [ exists x; auto | ].
  destruct (IH x) as (p & Hin & ->). destruct (Z.min_spec (z y) (z p)) as [[_ ->] | [_ ->]].
  - exists y. tauto.
  - exists p. simpl in Hin. tauto.
Qed.

Lemma gap_attained : forall {A} (z : A -> Z) xs, xs <> [] ->
  exists p q, In p xs /\ In q xs /\ gap_z z xs = (z p - z q)%Z.
Proof.
  intros A z [| x rest] Hne; [ congruence | ].
  destruct (fold_max_in z rest x) as (p & Hp & Ep). destruct (fold_min_in z rest x) as (q & Hq & Eq).
  exists p, q. unfold gap_z. rewrite Ep, Eq. auto.
Qed.

Lemma largest_z_le : forall {A} (f : A -> Z) (b : Z -> Prop) xs,
  b 0%Z -> (forall x, In x xs -> b (f x)) -> b (largest_z f xs).
Proof.
  intros A f b xs H0. induction xs as [| x xs IH]; intros H; auto. simpl.
  destruct (Z.max_spec (f x) (largest_z f xs)) as [[_ ->] | [_ ->]].
  - apply IH. intros. apply H. simpl. auto.
  - apply H. simpl. auto.
Qed.

Lemma right_listed_real :
  INR right_listed = sum (fun g => INR (commonest (labels_of group_number (evaluated c) label_n g))) group_numbers.
Proof.
  unfold right_listed. induction group_numbers as [| g gs IH]; [ reflexivity | ].
  simpl fold_right. rewrite plus_INR, IH. reflexivity.
Qed.

(* ---- what follows from an accepted certificate -------------------------------------------------------------- *)

(* The terms of the pairs that are alone: squared errors, errors, right answers, -ln probabilities. *)
Definition at_least_0 (terms : list R) : Prop := Forall (fun t => 0 <= t) terms.

Lemma sum_at_least_0 : forall terms, at_least_0 terms -> 0 <= sum (fun t => t) terms.
Proof. intros terms H. apply sum_nonneg. unfold at_least_0 in H. now rewrite Forall_forall in H. Qed.

Section Sound.

Hypothesis checked : check = true.

Lemma parts : check_groups c = true /\ (0 < evaluated_pairs)%nat /\ (0 < channels c)%nat /\
  Q2R (claimed_mse c) <= Q2R mse_q /\ Q2R (claimed_sup c) <= Q2R sup_q /\
  (right_listed + alone c <= claimed_right c)%nat.
Proof.
  unfold check in checked. rewrite !andb_true_iff in checked.
  destruct checked as [[[[[H1 H2] H3] H4] H5] H6].
  apply Nat.ltb_lt in H2, H3. apply Qle_bool_iff in H4, H5. apply Nat.leb_le in H6.
  auto 10 using Qle_Rle.
Qed.

Context {State : Type}.
Variables (embed : N -> State) (net : network (State := State) (Pair := N) (Rel := N)).
Hypothesis of_plan : covers c net.

Definition state_of : N -> State := states (fun p => embed (token c p)) net.

Lemma outputs_agree : forall {Out} (read : State -> Out),
  agrees group_number (evaluated c) (fun p => read (state_of p)).
Proof.
  intros Out read p q _ _ Hpq. apply (group_agrees (first_member c)).
  - apply check_groups_sound; auto. apply parts.
  - unfold group_number in Hpq. now apply N2Nat.inj.
Qed.

(* Mean square error over all evaluated pairs and channels; [others] are the squared errors on the pairs
   that are alone. *)
Theorem mse_sound : forall (read : State -> nat -> R) others, at_least_0 others ->
  Q2R (claimed_mse c) <=
  (square_error (evaluated c) (channels c) target (fun p => read (state_of p)) + sum (fun t => t) others)
  / (INR evaluated_pairs * INR (channels c)).
Proof.
  intros read others Hothers. destruct parts as (_ & Hn & Hd & Hclaim & _).
  apply lt_0_INR in Hn, Hd. assert (Hp := power_pos). eapply Rle_trans; [ exact Hclaim | ].
  unfold mse_q. rewrite Q2R_div_z.
  - rewrite !mult_IZR, <- !INR_IZR_INZ.
    assert (E := square_floor_holds group_number (evaluated c) (channels c) target _ (outputs_agree read)).
    rewrite <- square_floor_q_real in E. assert (H0 := sum_at_least_0 others Hothers).
    replace (Q2R square_floor_q / (IZR power * IZR power * INR evaluated_pairs * INR (channels c)))
      with (Q2R square_floor_q / (IZR power * IZR power) / (INR evaluated_pairs * INR (channels c))) by (field; lra).
    apply divided_le; [ apply Rmult_le_pos; lra | lra ].
  - assert (H : 0 < IZR power * IZR power * INR evaluated_pairs * INR (channels c))
      by (repeat apply Rmult_lt_0_compat; auto).
    rewrite !INR_IZR_INZ, <- !mult_IZR in H. apply lt_IZR in H. lia.
Qed.

Theorem sup_sound : forall (read : State -> nat -> R),
  Q2R (claimed_sup c) <= sup_error (evaluated c) (channels c) target (fun p => read (state_of p)).
Proof.
  intros read. destruct parts as (_ & _ & _ & _ & Hclaim & _). eapply Rle_trans; [ exact Hclaim | ].
  assert (Hp := power_pos). unfold sup_q. rewrite Q2R_div_z, Q2R_inject, mult_IZR.
  - set (E := sup_error (evaluated c) (channels c) target (fun p => read (state_of p))).
    assert (HE : 0 <= E) by apply largest_nonneg.
    unfold sup_gap_z. apply (largest_z_le _ (fun z => IZR z / (2 * IZR power) <= E)); [ unfold Rdiv; lra | ].
    intros g Hg. apply (largest_z_le _ (fun z => IZR z / (2 * IZR power) <= E)); [ unfold Rdiv; lra | ].
    intros ch Hch. apply in_seq in Hch.
    destruct (group_not_empty group_number (evaluated c) g Hg) as (p0 & Hp0).
    destruct (gap_attained (fun p => target_z p ch) (group_members g)) as (p & q & Hpin & Hqin & ->).
    { intros E0. unfold group_members in E0. unfold of_group in Hp0. now rewrite E0 in Hp0. }
    apply in_members in Hpin, Hqin. destruct Hpin as [Hpin Gp], Hqin as [Hqin Gq].
    assert (Half := half_gap (evaluated c) (channels c) target (fun p => read (state_of p)) p q ch Hpin Hqin
                      ltac:(lia)). fold E in Half. cbv beta in Half.
    assert (Hagree := outputs_agree read p q Hpin Hqin (eq_trans Gp (eq_sym Gq))). cbv beta in Hagree.
    rewrite Hagree in Half. specialize (Half eq_refl).
    eapply Rle_trans; [ | exact Half ]. unfold target. rewrite minus_IZR.
    assert (T := RRle_abs (IZR (target_z p ch) / IZR power - IZR (target_z q ch) / IZR power)).
    replace ((IZR (target_z p ch) - IZR (target_z q ch)) / (2 * IZR power))
      with ((IZR (target_z p ch) / IZR power - IZR (target_z q ch) / IZR power) / 2) by (field; lra).
    lra.
  - apply lt_IZR in Hp. lia.
Qed.

(* [right_alone]: right answers on the pairs that are alone, at most as many as there are. *)
Theorem right_sound : forall (answer : State -> nat) right_alone, (right_alone <= alone c)%nat ->
  (right_answers (evaluated c) label_n (fun p => answer (state_of p)) + right_alone <= claimed_right c)%nat.
Proof.
  intros answer right_alone Halone. destruct parts as (_ & _ & _ & _ & _ & Hclaim).
  cut (right_answers (evaluated c) label_n (fun p => answer (state_of p)) <= right_listed)%nat; [ lia | ].
  apply INR_le. rewrite right_listed_real.
  apply right_answers_bound. apply outputs_agree.
Qed.

Theorem cross_entropy_sound : forall (prob : State -> nat -> R) others,
  (forall s, distribution (prob s)) -> at_least_0 others ->
  sum (fun g => entropy (labels_of group_number (evaluated c) label_n g)) group_numbers / INR evaluated_pairs
  <= (sum (fun p => - ln (prob (state_of p) (label_n p))) (evaluated c) + sum (fun t => t) others)
     / INR evaluated_pairs.
Proof.
  intros prob others Hprob Hothers. apply divided_le; [ apply pos_INR | ].
  assert (H0 := sum_at_least_0 others Hothers).
  assert (E := entropy_floor_holds group_number (evaluated c) label_n (fun p => prob (state_of p))
                 (fun p => Hprob _) (outputs_agree prob)).
  unfold groups in E. fold group_numbers in E. lra.
Qed.

End Sound.

End Figures.
