(* An executable checker of certificates, and its soundness: what it accepts is true.

   A certificate lists pairs 0, 1, .., each with its token, its group (named by the group's first
   member) and, for each step of the plan, its number and what it sees.  Targets are integers, to be
   multiplied by one power of two; labels are numbers.  All arithmetic here is on integers and
   fractions; real numbers occur in the statements only.

   Theorem ([check_sound]).  If [check c = true], then for every network of the plan of [c], with any
   weights and any real function read off its states, the mean square error, the largest error, the
   number of right answers and the cross-entropy on the pairs of [c] are bounded by the figures of [c].  *)

Require Import List Arith Lia Permutation Bool NArith ZArith QArith Qreals Reals Lra.
Require Import Urpe.Views Urpe.Networks Urpe.Sums Urpe.Floors.
Import ListNotations.
Open Scope nat_scope.

(* ---- tables ------------------------------------------------------------------------------------------- *)

Definition entry {A} (default : A) (table : list A) (p : N) : A := nth (N.to_nat p) table default.

Definition all_pairs (n : nat) : list N := map N.of_nat (seq 0 n).

(* The first member of p's group; a pair that is not listed is alone. *)
Definition first_of (firsts : list N) (p : N) : N := entry p firsts p.

Lemma entry_beyond : forall {A} (default : A) table p, length table <= N.to_nat p -> entry default table p = default.
Proof. intros. now apply nth_overflow. Qed.

Lemma first_of_beyond : forall table p, length table <= N.to_nat p -> first_of table p = p.
Proof. intros. unfold first_of. now apply entry_beyond. Qed.

(* A property of all pairs need be tested on the listed ones only, if it holds beyond. *)
Lemma forallb_pairs : forall n (test : N -> bool) (P : N -> Prop),
  forallb test (all_pairs n) = true ->
  (forall p, test p = true -> P p) -> (forall p, n <= N.to_nat p -> P p) -> forall p, P p.
Proof.
  intros n test P Hall Htest Hbeyond p. destruct (le_lt_dec n (N.to_nat p)) as [H | H]; auto.
  apply Htest. rewrite forallb_forall in Hall. apply Hall.
  unfold all_pairs. apply in_map_iff. exists (N.to_nat p). split; [ apply N2Nat.id | apply in_seq; lia ].
Qed.

(* ---- views ---------------------------------------------------------------------------------------------- *)

Definition item : Type := N * N. (* colour (the group's first member) and relation *)

Definition item_eqb (x y : item) : bool := (fst x =? fst y)%N && (snd x =? snd y)%N.

Lemma item_eqb_eq : forall x y, item_eqb x y = true <-> x = y.
Proof.
  intros [a r] [b s]. unfold item_eqb; simpl. rewrite andb_true_iff, !N.eqb_eq.
  split; [ now intros [-> ->] | now intros [= -> ->] ].
Qed.

Definition item_dec (x y : item) : {x = y} + {x <> y}.
Proof. decide equality; apply N.eq_dec. Defined.

Fixpoint occurrences (x : item) (xs : list item) : N :=
  match xs with
  | [] => 0%N
  | y :: rest => if item_eqb x y then N.succ (occurrences x rest) else occurrences x rest
  end.

Lemma occurrences_spec : forall x xs, N.to_nat (occurrences x xs) = count_occ item_dec xs x.
Proof.
  induction xs as [| y rest IH]; [ reflexivity | simpl ].
  destruct (item_dec y x) as [-> | Hne].
  - rewrite (proj2 (item_eqb_eq x x) eq_refl), N2Nat.inj_succ. now f_equal.
  - destruct (item_eqb x y) eqn:E; auto. apply item_eqb_eq in E. congruence.
Qed.

(* a times the counts of xs are b times the counts of ys. *)
Definition multiples (a b : N) (xs ys : list item) : bool :=
  forallb (fun x => (a * occurrences x xs =? b * occurrences x ys)%N) (xs ++ ys).

Lemma multiples_sound : forall a b xs ys, multiples a b xs ys = true ->
  Permutation (times (N.to_nat a) xs) (times (N.to_nat b) ys).
Proof.
  intros a b xs ys H. apply (multiples_by_count item_dec). intros x. unfold multiples in H.
  rewrite forallb_forall in H. destruct (in_dec item_dec x (xs ++ ys)) as [Hin | Hout].
  - specialize (H x Hin). apply N.eqb_eq in H. rewrite <- !occurrences_spec. lia.
  - rewrite in_app_iff in Hout. rewrite !(proj1 (count_occ_not_In item_dec _ _)) by tauto. lia.
Qed.

Fixpoint items_eqb (xs ys : list item) : bool :=
  match xs, ys with
  | [], [] => true
  | x :: xs', y :: ys' => item_eqb x y && items_eqb xs' ys'
  | _, _ => false
  end.

Lemma items_eqb_eq : forall xs ys, items_eqb xs ys = true -> xs = ys.
Proof.
  induction xs as [| x xs IH]; intros [| y ys]; simpl; try discriminate; auto.
  rewrite andb_true_iff, item_eqb_eq. intros [-> H]. f_equal. auto.
Qed.

(* First occurrences, in order: [before] holds what has been seen. *)
Fixpoint firsts (before xs : list item) : list item :=
  match xs with
  | [] => []
  | x :: rest => if existsb (item_eqb x) before then firsts before rest else x :: firsts (x :: before) rest
  end.

Lemma firsts_same : forall xs before done, (forall x, In x before <-> In x done) ->
  same_first (done ++ xs) (done ++ firsts before xs).
Proof.
  induction xs as [| x xs IH]; intros before done H; simpl; [ apply first_refl | ].
  destruct (existsb (item_eqb x) before) eqn:E.
  - apply existsb_exists in E. destruct E as (y & Hin & Hy). apply item_eqb_eq in Hy. subst y.
    apply H, in_split in Hin. destruct Hin as (us & vs & Hd).
    apply first_trans with (done ++ xs); [ | now apply IH ].
    rewrite Hd, <- !app_assoc. simpl. apply first_drop.
  - change (x :: xs) with ([x] ++ xs). change (x :: firsts (x :: before) xs) with ([x] ++ firsts (x :: before) xs).
    rewrite !app_assoc. apply IH. intros z. rewrite in_app_iff. simpl. specialize (H z). tauto.
Qed.

Definition nonempty (xs : list item) : bool := match xs with [] => false | _ => true end.

(* By what a row's counts are divided: how many it sees, or its number where that is nothing. *)
Definition share (n : nat) (xs : list item) : N :=
  N.max 1 (match xs with [] => N.of_nat n | _ => N.of_nat (length xs) end).

Lemma share_positive : forall n xs, 0 < N.to_nat (share n xs).
Proof. intros n xs. unfold share. lia. Qed.

Definition alike_b (k : kind) (n : nat) (xs : list item) (m : nat) (ys : list item) : bool :=
  match k with
  | ordered => (n =? m) && items_eqb xs ys
  | counted => (n =? m) && multiples 1 1 xs ys
  | normalised => (n =? m) && multiples (share m ys) (share n xs) xs ys
  | per_number => (share m ys * N.of_nat n =? share n xs * N.of_nat m)%N
                  && multiples (share m ys) (share n xs) xs ys
  | first => (n =? m) && items_eqb (firsts [] xs) (firsts [] ys)
  end.

Lemma alike_b_sound : forall k n xs m ys, alike_b k n xs m ys = true -> alike k n xs m ys.
Proof.
  intros [] n xs m ys; unfold alike_b, alike; rewrite !andb_true_iff, ?Nat.eqb_eq.
  - intros [Hn H]. auto using items_eqb_eq.
  - intros [Hn H]. split; auto. apply multiples_sound in H. simpl in H. now rewrite !app_nil_r in H.
  - intros [Hn H]. split; auto. exists (N.to_nat (share m ys)), (N.to_nat (share n xs)).
    auto using share_positive, multiples_sound.
  - intros [Hn H]. exists (N.to_nat (share m ys)), (N.to_nat (share n xs)). apply N.eqb_eq in Hn.
    repeat split; auto using share_positive, multiples_sound. lia.
  - intros [Hn H]. split; auto. apply items_eqb_eq in H.
    apply first_trans with (firsts [] xs); [ now apply (firsts_same xs [] []) | ].
    rewrite H. apply first_sym. now apply (firsts_same ys [] []).
Qed.

Definition shows_b (u : N) (xs : list item) : bool := nonempty xs && forallb (fun x => (fst x =? u)%N) xs.

Lemma shows_b_sound : forall u xs, shows_b u xs = true -> shows_only u xs.
Proof.
  intros u xs H. unfold shows_b in H. apply andb_true_iff in H. destruct H as [Hne H]. split.
  - intros ->. discriminate.
  - apply Forall_forall. intros x Hin. rewrite forallb_forall in H. now apply N.eqb_eq, H.
Qed.

Definition one_thing_b (xs ys : list item) : bool :=
  match xs with
  | [] => false
  | x :: _ => shows_b (fst x) xs && shows_b (fst x) ys
  end.

(* One state, and relations of one value: a view of one thing. *)
Definition shows_value_b (v : N -> N) (a : item) (xs : list item) : bool :=
  nonempty xs && forallb (fun x => item_eqb (thing v x) a) xs.

Definition one_value_b (v : N -> N) (xs ys : list item) : bool :=
  match xs with
  | [] => false
  | x :: _ => shows_value_b v (thing v x) xs && shows_value_b v (thing v x) ys
  end.

Lemma one_value_b_sound : forall v xs ys, one_value_b v xs ys = true -> one_value v xs ys.
Proof.
  intros v xs ys H. destruct xs as [| x xs']; [ discriminate | ].
  set (xs := x :: xs') in *. apply andb_true_iff in H.
  assert (E : forall zs, shows_value_b v (thing v x) zs = true -> shows_only (thing v x) (map (valued v) zs)).
  { intros zs Hz. apply andb_true_iff in Hz. destruct Hz as [Hne Hz]. split.
    - apply map_not_nil. intros ->. discriminate.
    - apply Forall_map, Forall_forall. intros y Hin. rewrite forallb_forall in Hz.
      now apply item_eqb_eq, Hz. }
  exists (thing v x). split; apply E; tauto.
Qed.

(* Two lists have each thing equally often. *)
Definition row : Type := (item * item * item)%type.
Definition row_eqb (x y : row) : bool :=
  item_eqb (fst (fst x)) (fst (fst y)) && item_eqb (snd (fst x)) (snd (fst y)) && item_eqb (snd x) (snd y).

Lemma row_eqb_eq : forall x y, row_eqb x y = true <-> x = y.
Proof.
  intros [[a b] c] [[a' b'] c']. unfold row_eqb; cbn [fst snd]. rewrite !andb_true_iff, !item_eqb_eq.
  split; [ now intros [[-> ->] ->] | now intros [= -> -> ->] ].
Qed.

Definition row_dec (x y : row) : {x = y} + {x <> y}.
Proof. repeat decide equality. Defined.

Fixpoint times_in (x : row) (xs : list row) : N :=
  match xs with
  | [] => 0%N
  | y :: rest => if row_eqb x y then N.succ (times_in x rest) else times_in x rest
  end.

Lemma times_in_spec : forall x xs, N.to_nat (times_in x xs) = count_occ row_dec xs x.
Proof.
  induction xs as [| y rest IH]; [ reflexivity | simpl ].
  destruct (row_dec y x) as [-> | Hne].
  - rewrite (proj2 (row_eqb_eq x x) eq_refl), N2Nat.inj_succ. now f_equal.
  - destruct (row_eqb x y) eqn:E; auto. apply row_eqb_eq in E. congruence.
Qed.

Definition permuted (xs ys : list row) : bool :=
  forallb (fun x => times_in x xs =? times_in x ys)%N (xs ++ ys).

Lemma permuted_sound : forall xs ys, permuted xs ys = true -> Permutation xs ys.
Proof.
  intros xs ys H. apply (Permutation_count_occ row_dec). intros x. unfold permuted in H.
  rewrite forallb_forall in H. destruct (in_dec row_dec x (xs ++ ys)) as [Hin | Hout].
  - specialize (H x Hin). apply N.eqb_eq in H. rewrite <- !times_in_spec. now f_equal.
  - rewrite in_app_iff in Hout. rewrite !(proj1 (count_occ_not_In row_dec _ _)) by tauto. reflexivity.
Qed.

Definition same_ratios_b (v : N -> N) (code : N -> N -> item) (xs ys : list item) : bool :=
  nonempty xs && nonempty ys && permuted (duel v code xs ys) (map exchange (duel v code xs ys)).

Lemma same_ratios_b_sound : forall v code xs ys, same_ratios_b v code xs ys = true -> same_ratios v code xs ys.
Proof.
  intros v code xs ys H. unfold same_ratios_b in H. rewrite !andb_true_iff in H. destruct H as [[Hx Hy] H].
  repeat split; [ intros ->; discriminate | intros ->; discriminate | now apply permuted_sound ].
Qed.

(* The clause of products is not checked beyond that of one colour: it refuses more than it must; what
   it is about is a case of [ratios]. *)
Definition same_view_b (c : @class N) (n : nat) (xs : list item) (m : nat) (ys : list item) : bool :=
  alike_b (of_kind c) n xs m ys ||
  match with_clause c with
  | no_clause => false
  | values v => one_value_b v xs ys
  | ratios v code => same_ratios_b v code xs ys
  | _ => one_thing_b xs ys
  end.

Lemma one_thing_b_sound : forall xs ys, one_thing_b xs ys = true -> one_thing xs ys.
Proof.
  intros [| x xs] ys H; [ discriminate | ]. simpl in H. apply andb_true_iff in H.
  exists (fst x). split; now apply shows_b_sound.
Qed.

Lemma one_thing_product : forall {T Rel} (xs ys : list (T * Rel)), one_thing xs ys -> product xs ys.
Proof.
  intros T Rel xs ys (u & Hx & Hy). exists [u]. split; [ discriminate | ].
  assert (H : forall zs : list (T * Rel), shows_only u zs -> is_product [u] zs).
  { intros zs [Hne Hz]. exists (map snd zs). split; [ now apply map_not_nil | ]. simpl. rewrite app_nil_r, map_map.
    rewrite (map_ext_in _ (fun x => x)), map_id; [ reflexivity | ].
    intros [t r] Hin. rewrite Forall_forall in Hz. simpl. f_equal. symmetry. now apply (Hz (t, r)). }
  auto.
Qed.

Lemma same_view_b_sound : forall c n xs m ys, same_view_b c n xs m ys = true -> same_view c n xs m ys.
Proof.
  intros c n xs m ys H. apply orb_true_iff in H. destruct H as [H | H].
  - left. now apply alike_b_sound.
  - right. destruct (with_clause c); auto using one_value_b_sound, same_ratios_b_sound; [ discriminate | | ].
    + now apply one_thing_b_sound.
    + now apply one_thing_product, one_thing_b_sound.
Qed.

(* ---- certificates --------------------------------------------------------------------------------------------- *)

(* One step of the plan: the class, and for each pair its number and what it sees. *)
Record step : Type := { step_class : @class N; numbers : list nat; seen : list (list (N * N)) }.

Definition sight_of_step (st : step) : sight :=
  {| number := entry 0 (numbers st); sees := entry [] (seen st) |}.

(* A partition lists for each pair the first member of its group.  For networks of any depth, made of the
   steps in any order and number, there is one.  For networks of as many layers as there are steps, in
   order, there are the groups at the start (by tokens) and after each round. *)
Inductive scope : Type :=
| any_depth (groups : list N)
| of_rounds (start : list N) (after : list (list N)).

Record certificate : Type := {
  tokens : list N;               (* of each pair *)
  plan_steps : list step;
  groups_of : scope;
  evaluated : list N;            (* the pairs of the row that the figures are about *)
  alone : nat;                   (* further evaluated pairs, in no group with others, not listed *)
  channels : nat;
  targets : list (list Z);       (* of each pair, by channel, times 2^(- scale) *)
  scale : N;
  labels : list nat;             (* of each pair *)
  claimed_mse : Q;
  claimed_sup : Q;
  claimed_right : nat }.         (* at most so many right answers, those alone included *)

Section Groups.

(* ---- groups ------------------------------------------------------------------------------------------------------ *)

Variable c : certificate.

Definition token (p : N) : N := entry 0%N (tokens c) p.
Definition seen_alike_b (st : step) (old : N -> N) (p q : N) : bool :=
  let look := fun r => map (on_thing old) (entry [] (seen st) r) in
  let number := entry 0 (numbers st) in
  same_view_b (step_class st) (number p) (look p) (number q) (look q).

Lemma seen_alike_b_sound : forall st old p q, seen_alike_b st old p q = true ->
  seen_alike (sight_of_step st) (step_class st) old p q.
Proof. intros st old p q H. now apply same_view_b_sound. Qed.

Lemma seen_alike_refl : forall st old p, seen_alike (sight_of_step st) (step_class st) old p p.
Proof. intros. left. apply alike_refl. Qed.

(* Pairs of a group have equal tokens, so equal states before the first layer. *)
Definition tokens_agree (table : list N) : bool :=
  forallb (fun p => token p =? token (first_of table p))%N (all_pairs (length table)).

Lemma tokens_agree_sound : forall table, tokens_agree table = true ->
  forall p, token p = token (first_of table p).
Proof.
  intros table H. apply (forallb_pairs _ _ _ H).
  - intros p. apply N.eqb_eq.
  - intros p Hp. now rewrite first_of_beyond.
Qed.

Definition check_stable (table : list N) : bool :=
  forallb (fun st => forallb (fun p => seen_alike_b st (first_of table) p (first_of table p))
                             (all_pairs (length table))) (plan_steps c).

Definition check_round (st : step) (old next : list N) : bool :=
  forallb (fun p => (first_of old (first_of next p) =? first_of old p)%N &&
                    seen_alike_b st (first_of old) p (first_of next p)) (all_pairs (length next)).

Fixpoint check_rounds (old : list N) (steps : list step) (partitions : list (list N)) : bool :=
  match steps, partitions with
  | [], [] => true
  | st :: steps', next :: partitions' => check_round st old next && check_rounds next steps' partitions'
  | _, _ => false
  end.

Lemma check_round_sound : forall st old next, check_round st old next = true ->
  round (sight_of_step st) (step_class st) (first_of old) (first_of next).
Proof.
  intros st old next H. refine (forallb_pairs _ _ (fun p => first_of old (first_of next p) = first_of old p /\
    seen_alike (sight_of_step st) (step_class st) (first_of old) p (first_of next p)) H _ _).
  - intros p Hp. apply andb_true_iff in Hp. destruct Hp as [Ho Hs].
    split; [ now apply N.eqb_eq | now apply seen_alike_b_sound ].
  - intros p Hp. rewrite (first_of_beyond next p Hp). split; auto using seen_alike_refl.
Qed.

Definition plan_of : plan := map (fun st => (sight_of_step st, step_class st)) (plan_steps c).

(* The last of the partitions. *)
Fixpoint final (old : list N) (partitions : list (list N)) : list N :=
  match partitions with
  | [] => old
  | next :: rest => final next rest
  end.

Lemma check_rounds_sound : forall steps partitions old, check_rounds old steps partitions = true ->
  rounds (first_of old) (map (fun st => (sight_of_step st, step_class st)) steps) (first_of (final old partitions)).
Proof.
  induction steps as [| st steps IH]; intros [| next partitions] old; try discriminate; intros H.
  - constructor.
  - simpl in H. apply andb_true_iff in H. destruct H as [Hr H].
    apply a_round with (first_of next); [ now apply check_round_sound | exact (IH partitions next H) ].
Qed.

(* The certified groups: of a stable partition, or the last of the rounds. *)
Definition groups_table : list N :=
  match groups_of c with
  | any_depth table => table
  | of_rounds start partitions => final start partitions
  end.
Definition first_member (p : N) : N := first_of groups_table p.

Definition check_groups : bool :=
  match groups_of c with
  | any_depth table => tokens_agree table && check_stable table
  | of_rounds start partitions => tokens_agree start && check_rounds start (plan_steps c) partitions
  end.

(* The networks that a certificate speaks of. *)
Definition covers {State} (net : network) : Prop :=
  match groups_of c with
  | any_depth _ => made_of (State := State) plan_of net
  | of_rounds _ _ => Forall2 follows plan_of net
  end.

Theorem check_groups_sound : check_groups = true ->
  forall {State} (embed : N -> State) net, covers net ->
  equal_on first_member (states (fun p => embed (token p)) net).
Proof.
  unfold check_groups, covers, first_member, groups_table.
  destruct (groups_of c) as [table | start partitions]; intros H State embed net Hnet;
    apply andb_true_iff in H; destruct H as [Ht H].
  - apply (stable_sound plan_of); auto.
    + intros s cl Hin p. apply in_map_iff in Hin. destruct Hin as (st & [= <- <-] & Hst).
      unfold check_stable in H. rewrite forallb_forall in H. specialize (H st Hst). revert p.
      refine (forallb_pairs _ _ (fun p => seen_alike (sight_of_step st) (step_class st)
               (first_of table) p (first_of table p)) H _ _).
      * intros p. apply seen_alike_b_sound.
      * intros p Hp. rewrite (first_of_beyond table p Hp). apply seen_alike_refl.
    + intros p. f_equal. now apply tokens_agree_sound.
  - apply (rounds_sound plan_of (first_of start)); auto.
    + now apply check_rounds_sound.
    + intros p. f_equal. now apply tokens_agree_sound.
Qed.

End Groups.
