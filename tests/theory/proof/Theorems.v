Require Import Urpe.Views Urpe.Networks Urpe.Sums Urpe.Heads Urpe.HeadsInOrder Urpe.Floors Urpe.Leak Urpe.Paper
  Urpe.Checker Urpe.Figures Urpe.Converse.
Print Assumptions stable_sound.
Print Assumptions rounds_sound.
Print Assumptions fewer_layers_sound.
Print Assumptions softmax_class.
Print Assumptions entmax_class.
Print Assumptions leak_rms.
Print Assumptions mse_sound.
Print Assumptions check_groups_sound.
Print Assumptions floor_is_minimum.
Print Assumptions toeplitz_step.
